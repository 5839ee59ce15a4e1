// The training, gone on with from where the run's checkpoint left it.
import { curve } from "./curve.js";
import { element } from "./elements.js";
import { numbers, sheet } from "./pictures.js";
import { augmentation, freshSeed, generator, noise, shuffled } from "./random.js";

// The inputs of iteration after iteration (src/train/dcgan.rs), drawn here.
function inputs({ size, channels, details }, pictures) {
    const settings = details.training;
    const { batch, d_adam, g_adam, d_every, average } = settings;
    const random = generator(freshSeed());
    const picture = size * size * channels;
    let order = [];

    const real = () => {
        const values = new Float32Array(batch * picture);
        for (let index = 0; index < batch; index++) {
            if (!order.length) order = shuffled(random, pictures.length);
            const stored = pictures[order.pop()];
            const margin = settings.pictures.side - size;
            const [top, left] = [0, 0].map(() => Math.floor(random() * (margin + 1)));
            const flip = settings.deluxe && random() < 0.5;
            for (let y = 0; y < size; y++) {
                for (let x = 0; x < size; x++) {
                    const from = ((top + y) * settings.pictures.side + left + (flip ? size - 1 - x : x)) * channels;
                    values.set(stored.subarray(from, from + channels), index * picture + (y * size + x) * channels);
                }
            }
        }
        return values;
    };
    const rates = ({ lr, beta1, beta2 }, update) =>
        Float32Array.of(lr / (1 - beta1 ** update), 1 / Math.sqrt(1 - beta2 ** update));
    const draw = () => noise(random, details.noise.kind, batch * details.noise.size);
    const augmented = (source) => augmentation(random, settings, source, batch, size);

    // The steps of iteration `t`, counted from the run's first, with their inputs.
    return (t) => {
        const steps = [];
        const own = draw();
        if (t % d_every === 0) {
            const update = t / d_every;
            const penalized = settings.r1 && update % settings.r1_every === 0;
            steps.push([
                penalized ? "penalized_discriminator_step" : "discriminator_step",
                { real: real(), noise: own, rates: rates(d_adam, update), ...augmented("real"), ...augmented("fake") },
            ]);
        }
        const decay = Float32Array.of(Math.min(average, (1 + t) / (10 + t)));
        const met = settings.fresh_noise ? draw() : own;
        steps.push(["generator_step", { noise: met, rates: rates(g_adam, t), decay, ...augmented("fake") }]);
        return steps;
    };
}

// The section with its controls; `redraw` draws pictures anew.
export function training(model, redraw) {
    const { replayer, details } = model;
    const { pictures: bundled, batch } = details.training;
    let [t, next, running, burst] = [model.step, null, false, 1];
    const plot = curve(["D", "G"]);
    const state = element("output", { id: "training", "data-step": t });
    const tell = (text) => {
        state.dataset.step = t;
        state.textContent = text;
    };

    async function ready() {
        tell("Compiling kernels …");
        await model.load("training");
        const pictures = (await sheet(bundled)).map((rgba) => numbers(rgba, model.channels));
        next = inputs(model, pictures);
    }

    // Some iterations, then their last losses: looking at every one would have the GPU wait.
    async function iterate() {
        const start = performance.now();
        let last = [];
        const losses = { D: null, G: null };
        for (let i = 0; i < burst; i++) {
            last = next(++t);
            replayer.run(last);
        }
        const names = last.map(([step]) => [step, step === "generator_step" ? "G" : "D"]);
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
            `Goes on from step ${t.toLocaleString()} with ${bundled.count} of the run's pictures, ${batch} a step, on this machine; the ` +
            "pictures above are drawn by what it has learnt so far. Noise and the order of the pictures are drawn here, so no two visits go " +
            `the same way.${details.training.warped ? " Unlike in the run, pictures are neither rotated nor stretched." : ""}`),
        element("p", { class: "buttons" }, start, reset),
        element("p", {}, state),
        plot.canvas);
}
