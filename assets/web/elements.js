// Pieces of the page.

// An element with attributes (functions become listeners) and children.
export function element(tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
        if (typeof value === "function") made.addEventListener(name, value);
        else if (value === true) made.setAttribute(name, "");
        else if (value !== false) made.setAttribute(name, value);
    }
    made.append(...children);
    return made;
}

// A slider with its name.
export function slider(name, attributes, changed) {
    const input = element("input", { type: "range", ...attributes, input: () => changed(input.valueAsNumber) });
    return { input, label: element("label", { class: "slider" }, element("span", {}, name), input) };
}

// The middle of the last times, which a hiccup does not change.
export function median() {
    const times = [];
    return (time) => {
        times.push(time);
        if (times.length > 15) times.shift();
        return [...times].sort((a, b) => a - b)[times.length >> 1];
    };
}

export const milliseconds = (time) => `${time < 10 ? time.toFixed(1) : time.toFixed(0)} ms`;

// Runs `work` one at a time: while it runs, calls only remember that it is to run again.
export function latest(work) {
    let [running, wanted] = [null, false];
    return function call() {
        wanted = true;
        running ??= (async () => {
            try {
                while (wanted) {
                    wanted = false;
                    await work();
                }
            } finally {
                running = null;
            }
        })();
        return running;
    };
}

// Runs tasks one after another in the order of the calls: what uses the model's programs and state must not interleave.
export function queue() {
    let last = Promise.resolve();
    return (task) => (last = last.then(task, task));
}
