// A DCGAN's page: sixteen images, the first of which is steered through the noise, and the training gone on with.
import { element, latest, median, milliseconds, slider } from "./elements.js";
import { image } from "./images.js";
import { between, freshSeed, generator, noise } from "./random.js";
import { training } from "./train.js";

const COUNT = 16;
// How far sliders go along a direction of length 1, in each of which normal noise has a deviation of 1.
const REACH = 4;

export async function show(model, main) {
    const { size, channels, replayer, details } = model;
    const { kind, size: length } = details.noise;
    const random = generator(freshSeed());
    const draw = (count) => noise(random, kind, count * length);
    const canvas = (label) => element("canvas", { width: size[1], height: size[0], role: "img", "aria-label": label });

    // Where the first image is: on the way between two noises, and off it along directions.
    let noises = draw(COUNT);
    let [from, to, way] = [noises.slice(0, length), draw(1), 0];
    const off = details.directions.map(() => 0);
    const steered = () => {
        const point = between(kind, from, to, way);
        details.directions.forEach((direction, index) => {
            for (let i = 0; i < length; i++) point[i] += off[index] * direction[i];
        });
        return point;
    };

    const large = canvas("The image that the sliders steer");
    const time = element("output", { id: "time" });
    const middle = median();
    const cells = Array.from({ length: COUNT }, (_, index) => canvas(`Image ${index + 1} of ${COUNT}`));
    const put = (canvas, images, index) => {
        const one = size[0] * size[1] * channels;
        const context = canvas.getContext("2d");
        context.putImageData(image(images.subarray(index * one, (index + 1) * one), size, channels), 0, 0);
    };
    const timed = async (step, values) => {
        const start = performance.now();
        replayer.run([[step, { noise: values }]]);
        const [images] = await replayer.outputs([[step, "images"]]);
        return [images, performance.now() - start];
    };

    // With batch norm an image depends on those it is drawn with: the run's own sheets, and training, draw sixteen at once.
    let alone = !details.batch_norm;
    const drawAll = async () => {
        noises.set(steered());
        const [images, took] = await timed("sample_sixteen", noises);
        cells.forEach((cell, index) => put(cell, images, index));
        if (!alone) {
            put(large, images, 0);
            time.textContent = `${milliseconds(middle(took))} for sixteen images`;
        }
    };
    const drawOne = async () => {
        const [images, took] = await timed("sample_one", steered());
        put(large, images, 0);
        time.textContent = `${milliseconds(middle(took))} for one image`;
    };
    const all = latest(() => model.task(async () => {
        await drawAll();
        if (alone) await drawOne();
    }));
    const steer = latest(() => model.task(alone ? drawOne : drawAll));

    const wayInput = slider("to the next noise", { min: 0, max: 1, step: 0.01, value: 0, id: "way" }, (value) => {
        way = value;
        steer();
    });
    const sliders = details.directions.map((_, index) => {
        const attributes = { min: -REACH, max: REACH, step: 0.05, value: 0, class: "direction" };
        return slider(`direction ${index + 1}`, attributes, (value) => {
            off[index] = value;
            steer();
        });
    });
    const centre = () => {
        off.fill(0);
        sliders.forEach(({ input }) => (input.value = 0));
    };
    const setWay = (value) => {
        way = value;
        wayInput.input.value = value;
    };
    const goTo = (noise) => {
        [from, to] = [noise, draw(1)];
        setWay(0);
        centre();
    };

    let playing = 0;
    const play = element("button", { id: "animate", "aria-pressed": "false", click: () => {
        playing = playing ? 0 : performance.now();
        play.textContent = playing ? "Stop" : "Animate";
        play.setAttribute("aria-pressed", String(Boolean(playing)));
        if (playing) frame();
    } }, "Animate");
    // From one noise to the next in three seconds, and on from there.
    const frame = async () => {
        const now = performance.now();
        let next = way + (now - playing) / 3000;
        playing = now;
        if (next >= 1) {
            [from, to] = [to, draw(1)];
            next = 0;
        }
        setWay(next);
        await steer();
        if (playing) requestAnimationFrame(frame);
    };

    const buttons = element("p", { class: "buttons" },
        element("button", { id: "another", click: () => { goTo(draw(1)); all(); } }, "Another"),
        play,
        element("button", { id: "centre", click: () => { centre(); steer(); } }, "Sliders to the middle"));
    const controls = element("div", { class: "controls" }, buttons, wayInput.label, ...sliders.map(({ label }) => label));
    if (details.batch_norm) {
        const choose = element("select", { id: "statistics", change: () => { alone = choose.value === "one"; all(); } },
            element("option", { value: "sixteen" }, "with the other fifteen, by their statistics, as in training"),
            element("option", { value: "one" }, "by itself, by running statistics: faster, and a little different"));
        controls.append(element("label", {}, "Drawn ", choose));
    }
    controls.append(element("p", { class: "time" }, time));
    const first = (index) => {
        const chosen = noises.slice(index * length, (index + 1) * length);
        noises.set(noises.slice(0, length), index * length);
        goTo(chosen);
        all();
    };
    const grid = element("div", { class: "sixteen" }, ...cells.map((cell, index) =>
        element("button", { title: index ? "Steer this one" : "The steered one", click: () => first(index) }, cell)));
    main.append(
        element("section", { class: "steer" }, large, controls),
        element("section", {},
            element("h2", {}, "Sixteen"),
            element("p", {}, "Choose one to steer it with the sliders. Directions are those of the noise that the generator's first weights stretch most."),
            grid,
            element("p", { class: "buttons" }, element("button", { id: "others", click: () => {
                noises = draw(COUNT);
                goTo(noises.slice(0, length));
                all();
            } }, "Sixteen others"))));
    await all();
    if (details.training) main.append(training(model, all));
}
