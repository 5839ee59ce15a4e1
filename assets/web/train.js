// The training, gone on with from where the run's checkpoint left it.
import { curve } from "./curve.js";
import { element } from "./elements.js";
import { numbers, sheet } from "./images.js";
import { augmentation, freshSeed, generator, noise, shuffled } from "./random.js";

// How many of the iterations up to `t` a phase is due in (`Due` of src/train/phase.rs).
const until = ({ first, every, except }, t) => {
    const all = t < first ? 0 : Math.floor((t - first) / every) + 1;
    return all - (except ? Math.floor(all / except) : 0);
};

// What a learning rate is multiplied with after `done` iterations (`Schedule` of src/optim).
const factor = (schedule, decayFrom, done, total) => {
    const from = decayFrom ?? Math.floor(total / 2);
    if (schedule === "linear" && done > from) return Math.max(0, total - done) / Math.max(1, total - from);
    if (schedule === "cosine") return 0.5 + 0.5 * Math.cos((Math.PI * Math.min(done, total)) / Math.max(1, total));
    return 1;
};

// The due phases of iteration after iteration with their inputs, drawn here.
function iterations({ size, channels, details }, all, count) {
    const { batch, total, deluxe, images: stored, phases } = details.training;
    const [height, width] = size;
    const random = generator(freshSeed());
    const image = height * width * channels;
    let order = [];

    const images = () => {
        const values = new Float32Array(batch * image);
        for (let index = 0; index < batch; index++) {
            if (!order.length) order = shuffled(random, all.length);
            const from = all[order.pop()];
            const [top, left] = stored.size.map((side, axis) => Math.floor(random() * (side - size[axis] + 1)));
            const flip = deluxe && random() < 0.5;
            for (let y = 0; y < height; y++) {
                for (let x = 0; x < width; x++) {
                    const at = ((top + y) * stored.size[1] + left + (flip ? width - 1 - x : x)) * channels;
                    values.set(from.subarray(at, at + channels), index * image + (y * width + x) * channels);
                }
            }
        }
        return values;
    };
    // The update of its networks that phase `index` makes in iteration `t`.
    const update = (index, t) => phases.reduce(
        (sum, { due, trains }, other) => (trains === phases[index].trains ? sum + until(due, other <= index ? t : t - 1) : sum), 0);

    // Phases due in iteration `t`, counted from the run's first: `[step, inputs]` each.
    return (t) => {
        const drawn = new Map();
        const once = (key, draw) => {
            if (!drawn.has(key)) drawn.set(key, draw());
            return drawn.get(key);
        };
        const sources = {
            images: () => once("images", images),
            noise: ({ kind, stream }, index, length) => once(stream, () => noise(random, kind, length)),
            augmentation: ({ parameter, stream }) => once(`${stream} ${parameter}`, () => augmentation(random, parameter, batch, size)),
            decay: ({ decay }, index) => {
                const number = update(index, t);
                return Float32Array.of(Math.min(decay, (1 + number) / (10 + number)));
            },
            rates: ({ adam: { lr, beta1, beta2 }, schedule, decay_from }, index) => {
                const number = update(index, t);
                const now = lr * factor(schedule, decay_from, t - 1, total);
                return Float32Array.of(now / (1 - beta1 ** number), 1 / Math.sqrt(1 - beta2 ** number));
            },
        };
        return phases.flatMap(({ step, due, inputs }, index) => {
            if (until(due, t) === until(due, t - 1)) return [];
            const values = inputs.map((input) => [input.name, sources[input.source](input, index, count(step, input.name))]);
            return [[step, Object.fromEntries(values)]];
        });
    };
}

// The section with its controls; `redraw` draws images anew.
export function training(model, redraw) {
    const { replayer, details } = model;
    const { images: bundled, batch, losses: shown } = details.training;
    let [t, next, running, burst] = [model.step, null, false, 1];
    const plot = curve(shown);
    const state = element("output", { id: "training", "data-step": t });
    const tell = (text) => {
        state.dataset.step = t;
        state.textContent = text;
    };

    async function ready() {
        tell("Compiling kernels …");
        await model.load("training");
        const images = (await sheet(bundled)).map((rgba) => numbers(rgba, model.channels));
        const count = (step, input) => replayer.programs.get(step).inputs.get(input).count;
        next = iterations(model, images, count);
    }

    // Some iterations, then their last losses: looking at every one would have the GPU wait.
    async function iterate() {
        const start = performance.now();
        let last = [];
        const losses = Object.fromEntries(shown.map((name) => [name, null]));
        for (let i = 0; i < burst; i++) {
            last = next(++t);
            replayer.run(last);
        }
        const names = last.flatMap(([step]) => {
            const outputs = replayer.programs.get(step).outputs;
            return shown.filter((name) => outputs.has(name)).map((name) => [step, name]);
        });
        const found = await replayer.outputs(names);
        names.forEach(([, name], index) => (losses[name] = found[index][0]));
        const seconds = (performance.now() - start) / 1000;
        const speed = burst / seconds;
        if (seconds < 0.1 && burst < 64) burst *= 2;
        if (seconds > 0.4 && burst > 1) burst /= 2;
        plot.add(t, losses);
        const known = Object.entries(losses).filter(([, loss]) => loss !== null);
        state.dataset.losses = JSON.stringify(losses);
        tell([
            `step ${t.toLocaleString()}`,
            ...known.map(([name, loss]) => `${name} ${loss.toFixed(3)}`),
            `${speed < 10 ? speed.toFixed(1) : speed.toFixed(0)} steps a second`,
        ].join(", "));
        if (known.some(([, loss]) => !Number.isFinite(loss))) {
            running = false;
            tell(`Step ${t.toLocaleString()}: the losses are no numbers any more. Reset to begin again.`);
        }
    }

    async function loop() {
        if (!next) {
            await model.task(ready);
            await model.compare();
            tell("ready");
        }
        let drawn = performance.now();
        while (running) {
            await model.task(iterate);
            if (performance.now() - drawn > 500) {
                await redraw();
                drawn = performance.now();
            }
        }
        await redraw();
        start.disabled = false;
    }

    const start = element("button", { id: "train", click: () => {
        running = !running;
        start.textContent = running ? "Pause" : "Go on";
        // It goes on only when the last iteration before a pause is done.
        if (running) loop().catch((error) => { running = false; throw error; });
        else start.disabled = true;
    } }, "Train");
    const reset = element("button", { id: "reset", click: () => model.task(async () => {
        t = model.step;
        model.reset();
        plot.clear();
        tell("as exported");
    }).then(redraw) }, "Reset");

    return element("section", {},
        element("h2", {}, "Training"),
        element("p", {},
            `Goes on from step ${t.toLocaleString()} with ${bundled.count} of the run's images, ${batch} a step, on this machine; the ` +
            "images above are drawn by what it has learnt so far. Noise and the order of the images are drawn here, so no two visits go " +
            `the same way.${details.training.warped ? " Unlike in the run, images are neither rotated nor stretched." : ""}`),
        element("p", { class: "buttons" }, start, reset),
        element("p", {}, state),
        plot.canvas);
}
