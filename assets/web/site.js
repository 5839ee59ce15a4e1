// The site's files.

async function fetched(name) {
    const response = await fetch(name);
    if (!response.ok) throw new Error(`${name} cannot be loaded: ${response.status} ${response.statusText}`);
    return response;
}

export async function json(name) {
    return (await fetched(name)).json();
}

// The tensors of a safetensors file, as Float32Arrays by name: the length of a JSON header, the header, the numbers.
export async function tensors(name) {
    const bytes = await (await fetched(name)).arrayBuffer();
    const length = Number(new DataView(bytes).getBigUint64(0, true));
    const header = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 8, length)));
    const found = {};
    for (const [tensor, { data_offsets: [from, to] }] of Object.entries(header)) {
        found[tensor] = new Float32Array(bytes.slice(8 + length + from, 8 + length + to));
    }
    return found;
}

export class Model {
    constructor(manifest, replayer, kernels) {
        Object.assign(this, manifest);
        this.replayer = replayer;
        this.kernels = kernels;
        this.state = new Map();
    }

    // Loads a part: its state, and its programs, compiled.
    async load(name) {
        const part = this.parts.find((part) => part.name === name);
        const [state, ...programs] = await Promise.all([
            tensors(`state/${name}.safetensors`),
            ...part.steps.map((step) => json(`programs/${this.kernels}/${step}.json`)),
        ]);
        for (const [tensor, numbers] of Object.entries(state)) {
            const buffer = Number(tensor.split(".")[1]);
            this.state.set(buffer, numbers);
            this.replayer.writeState(buffer, numbers);
        }
        await Promise.all(programs.map((program) => this.replayer.add(program)));
    }

    // Everything as it was exported.
    reset() {
        this.replayer.clearState();
        for (const [buffer, numbers] of this.state) this.replayer.writeState(buffer, numbers);
    }
}
