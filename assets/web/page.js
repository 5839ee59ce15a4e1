// The page: opens the GPU, loads the model, and gives each kind of model its own view.
import { check } from "./check.js";
import { element, queue } from "./elements.js";
import { NoGpu, open } from "./gpu.js";
import { Replayer } from "./replay.js";
import { Model, json } from "./site.js";

const at = (id) => document.getElementById(id);

function say(text, error = false) {
    const message = at("message");
    message.textContent = text;
    message.className = error ? "error" : "";
    message.hidden = !text;
}

// What went wrong stays on the page, whatever comes after.
let failed = false;
function fail(error) {
    console.error(error);
    if (failed) return;
    failed = true;
    say(error instanceof NoGpu ? error.message : `This page cannot continue: ${error.message ?? error}`, true);
}
window.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    fail(event.reason);
});

async function start() {
    const manifest = await json("model.json");
    at("title").textContent = document.title = manifest.title;
    const facts = [`${manifest.size[1]} × ${manifest.size[0]} pixels`, `after ${manifest.step.toLocaleString()} training steps`];
    at("facts").textContent = facts.join(", ");

    const { device, name, kernels } = await open();
    device.lost.then(({ message }) => {
        fail(new NoGpu(`The GPU is gone, as when its driver resets it or the machine slept (${message}). Load this page again.`));
    });
    device.addEventListener("uncapturederror", ({ error }) => fail(error));
    facts.push(`computed by ${name}${kernels === "software" ? " (a processor in place of a GPU, so by smaller kernels)" : ""}`);
    at("facts").textContent = facts.join(", ");

    say("Compiling kernels …");
    const model = new Model(manifest, new Replayer(device, manifest.buffers), kernels);
    model.task = queue();
    model.compare = () => compare(model);
    await model.load("sampling");
    const { show } = await import(`./${manifest.kind}.js`);
    say("");
    at("main").hidden = at("check").hidden = false;
    await show(model, at("main"));
    at("again").addEventListener("click", model.compare);
    await model.compare();
    document.documentElement.dataset.ready = manifest.kind;
}

// Rounding differs between GPUs; a kernel that is wrong is off by far more.
const ENOUGH = 1e-3;

async function compare(model) {
    let largest = 0;
    const rows = [];
    at("verdict").textContent = "checking …";
    await model.task(() =>
        check(model, (name, found) => {
            for (const { what, difference, count } of found) {
                largest = Math.max(largest, difference);
                const cells = [name, what, `${count.toLocaleString()} number${count === 1 ? "" : "s"}`, difference.toExponential(1)];
                rows.push(element("tr", { "data-difference": String(difference) }, ...cells.map((text) => element("td", {}, text))));
            }
        }),
    );
    at("differences").replaceChildren(...rows);
    const verdict = largest < ENOUGH ? "Yes" : "No";
    at("verdict").textContent = `${verdict}: ${largest.toExponential(1)} from the reference at most.`;
    at("verdict").className = largest < ENOUGH ? "" : "error";
}

start().catch(fail);
