// Replays programs (src/gpu/program.rs) on WebGPU: buffers, pipelines and bind groups once, then a run is to write the
// inputs, one pass, one submit.

const STORAGE = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;

export class Replayer {
    // `buffers` are the counts of numbers in each; they begin as zeros.
    constructor(device, buffers) {
        this.device = device;
        this.state = buffers.map((count) => this.#buffer(count * 4));
        this.counts = buffers;
        this.pool = [];
        this.pipelines = new Map();
        this.programs = new Map();
    }

    #buffer(size) {
        return this.device.createBuffer({ size: Math.max(size, 256), usage: STORAGE });
    }

    // Makes a program ready under its name. Programs run one after another, so they share the pool's buffers.
    async add(program) {
        const buffers = {
            Inputs: this.#buffer(program.input_bytes),
            Constants: this.#buffer(program.constants.length * 4),
            Result: program.results.map((size) => this.#buffer(size)),
            State: this.state,
            Pool: this.#shared(program.pool),
        };
        this.device.queue.writeBuffer(buffers.Constants, 0, new Float32Array(program.constants));
        const buffer = (of) => {
            if (typeof of === "string") return buffers[of];
            const [[kind, index]] = Object.entries(of);
            return buffers[kind][index];
        };
        const pipelines = await Promise.all(program.pipelines.map((pipeline) => this.#pipeline(program, pipeline)));
        const dispatches = program.dispatches.map(({ pipeline, bindings, workgroups }) => ({
            pipeline: pipelines[pipeline],
            group: this.device.createBindGroup({
                layout: pipelines[pipeline].getBindGroupLayout(0),
                entries: bindings.map(({ buffer: of, offset, size }, binding) => ({
                    binding,
                    resource: { buffer: buffer(of), offset, size },
                })),
            }),
            workgroups,
        }));
        const inputs = new Map(program.inputs.map(([name, offset, count]) => [name, { offset, count }]));
        const outputs = new Map(
            program.outputs.map(([name, region, count]) => [name, { ...region, buffer: buffer(region.buffer), count }]),
        );
        this.programs.set(program.name, { dispatches, inputs, outputs, buffer: buffers.Inputs });
    }

    // A buffer for every slot: the largest slot of each program shares one, then the second largest.
    #shared(sizes) {
        const order = sizes.map((_, slot) => slot).sort((a, b) => sizes[b] - sizes[a]);
        const shared = [];
        order.forEach((slot, place) => {
            // Programs that are ready keep the smaller one they know.
            if (!(this.pool[place]?.size >= sizes[slot])) this.pool[place] = this.#buffer(sizes[slot]);
            shared[slot] = this.pool[place];
        });
        return shared;
    }

    // A pipeline, compiled once however many programs use it.
    #pipeline(program, { shader, constants }) {
        const { kernel, source } = program.shaders[shader];
        const key = JSON.stringify([constants, source]);
        if (!this.pipelines.has(key)) {
            const module = this.device.createShaderModule({ label: kernel, code: source });
            const compute = { module, entryPoint: "main", constants: Object.fromEntries(constants) };
            this.pipelines.set(key, this.device.createComputePipelineAsync({ label: kernel, layout: "auto", compute }));
        }
        return this.pipelines.get(key);
    }

    // Runs steps in order: `[name, inputs]` each, inputs being Float32Arrays by name.
    run(steps) {
        const encoder = this.device.createCommandEncoder();
        const pass = encoder.beginComputePass();
        for (const [name, values] of steps) {
            const { dispatches, inputs, buffer } = this.programs.get(name);
            for (const [input, { offset, count }] of inputs) {
                if (values[input]?.length !== count) {
                    throw new Error(`${name}: input ${input} is ${count} numbers, not ${values[input]?.length}`);
                }
                this.device.queue.writeBuffer(buffer, offset, values[input]);
            }
            for (const { pipeline, group, workgroups } of dispatches) {
                pass.setPipeline(pipeline);
                pass.setBindGroup(0, group);
                pass.dispatchWorkgroups(...workgroups);
            }
        }
        pass.end();
        this.device.queue.submit([encoder.finish()]);
    }

    // Numbers of several outputs, `[step, output]` each, in one round trip.
    outputs(names) {
        return this.#read(
            names.map(([step, output]) => {
                const { buffer, offset, count } = this.programs.get(step).outputs.get(output);
                return { buffer, offset, count };
            }),
        );
    }

    async readState(buffer) {
        const [numbers] = await this.#read([{ buffer: this.state[buffer], offset: 0, count: this.counts[buffer] }]);
        return numbers;
    }

    writeState(buffer, numbers) {
        this.device.queue.writeBuffer(this.state[buffer], 0, numbers);
    }

    // Zeros in every state buffer that is not written afterwards.
    clearState() {
        const encoder = this.device.createCommandEncoder();
        for (const buffer of this.state) encoder.clearBuffer(buffer);
        this.device.queue.submit([encoder.finish()]);
    }

    async #read(places) {
        let size = 0;
        const at = places.map(({ count }) => [size, (size += count * 4)]);
        const readback = this.device.createBuffer({ size: Math.max(size, 4), usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
        const encoder = this.device.createCommandEncoder();
        places.forEach(({ buffer, offset, count }, index) => {
            encoder.copyBufferToBuffer(buffer, offset, readback, at[index][0], count * 4);
        });
        this.device.queue.submit([encoder.finish()]);
        await readback.mapAsync(GPUMapMode.READ);
        const bytes = readback.getMappedRange();
        const numbers = at.map(([from, to]) => new Float32Array(bytes.slice(from, to)));
        readback.destroy();
        return numbers;
    }
}
