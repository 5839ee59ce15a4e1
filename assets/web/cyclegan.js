// A CycleGAN's page: an image of either set translated to the other, and back.
import { element, median, milliseconds } from "./elements.js";
import { image, numbers, sheet, fitted } from "./images.js";

export async function show(model, main) {
    const examples = await Promise.all(model.details.examples.map(sheet));
    const ways = [["X", "Y"], ["Y", "X"]].map(([from, to], index) => way(model, from, to, examples[index] ?? []));
    main.append(element("div", { class: "ways" }, ...ways.map(({ section }) => section)));
    for (const { ready } of ways) await ready();
}

// One direction: its section, and what draws a first image.
function way(model, from, to, examples) {
    const { size, details, replayer } = model;
    const channels = (name) => details.channels[name === "X" ? 0 : 1];
    const canvas = (label) => element("canvas", { width: size[1], height: size[0], role: "img", "aria-label": label });
    const [source, there, back] = [canvas(`An image of ${from}`), canvas(`Translated to ${to}`), canvas(`And back to ${from}`)];
    const time = element("output", { id: `time-${to}` });
    const problem = element("p", { class: "error", role: "alert", hidden: true });
    const middle = median();
    const put = (canvas, values, name) => canvas.getContext("2d").putImageData(image(values, size, channels(name)), 0, 0);

    const timed = async (step, images) => {
        const start = performance.now();
        replayer.run([[step, { images }]]);
        const [translation] = await replayer.outputs([[step, "translation"]]);
        return [translation, performance.now() - start];
    };
    const translate = (rgba) => model.task(async () => {
        problem.hidden = true;
        const image = numbers(rgba, channels(from));
        put(source, image, from);
        const [translation, took] = await timed(`to_${to}`, image);
        put(there, translation, to);
        const [returned] = await timed(`to_${from}`, translation);
        put(back, returned, from);
        time.textContent = `${milliseconds(middle(took))} a translation`;
    });
    const take = async (file) => {
        if (!file) return;
        try {
            const image = await createImageBitmap(file);
            await translate(fitted(image, size, channels(from)));
        } catch (error) {
            if (!(error instanceof DOMException)) throw error;
            problem.textContent = `${file.name} is no image that this browser can read; choose a PNG, JPEG or WebP.`;
            problem.hidden = false;
        }
    };

    const input = element("input", { type: "file", accept: "image/*", id: `file-${from}`, change: () => take(input.files[0]) });
    const section = element("section", {
        class: "way",
        id: `way-${to}`,
        dragover: (event) => { event.preventDefault(); section.classList.add("over"); },
        dragleave: () => section.classList.remove("over"),
        drop: (event) => {
            event.preventDefault();
            section.classList.remove("over");
            take(event.dataTransfer.files[0]);
        },
    },
        element("h2", {}, `${from} to ${to}`),
        element("div", { class: "three" }, ...[[source, from], [there, to], [back, `back to ${from}`]].map(([canvas, caption]) =>
            element("figure", {}, canvas, element("figcaption", {}, caption)))),
        element("p", {}, element("label", { class: "file" }, "Drop an image here, or choose one: ", input)),
        problem,
        element("div", { class: "examples" }, ...examples.map((rgba, index) => {
            const thumbnail = canvas(`Example ${index + 1} of ${from}`);
            put(thumbnail, numbers(rgba, channels(from)), from);
            return element("button", { title: `Translate example ${index + 1}`, click: () => translate(rgba) }, thumbnail);
        })),
        element("p", { class: "time" }, time));
    return { section, ready: () => (examples.length ? translate(examples[0]) : null) };
}
