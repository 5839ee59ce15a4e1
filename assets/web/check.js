// Whether this GPU computes what the reference does: the site's checks, each from the state as it was exported.
import { tensors } from "./site.js";

const distance = (found, expected) => {
    if (found.length !== expected.length) return Infinity;
    let largest = 0;
    for (let i = 0; i < found.length; i++) {
        const apart = Math.abs(found[i] - expected[i]);
        // What is no number is no small distance.
        if (!(apart <= largest)) largest = Number.isNaN(apart) ? Infinity : apart;
    }
    return largest;
};

// Runs the checks whose steps are loaded, and tells `each` of one after another: its name, and rows of what was compared, the
// largest difference, and how many numbers. The model's state is what it was before in the end.
export async function check(model, each) {
    const { replayer } = model;
    const known = await tensors("check.safetensors");
    const before = [];
    for (const buffer of replayer.state.keys()) before.push(await replayer.readState(buffer));
    for (const { name, steps, buffers } of model.checks) {
        if (!steps.every((step) => replayer.programs.has(step))) continue;
        model.reset();
        replayer.run(
            steps.map((step) => {
                const inputs = [...replayer.programs.get(step).inputs.keys()];
                return [step, Object.fromEntries(inputs.map((input) => [input, known[`${name}/${step}/in/${input}`]]))];
            }),
        );
        const rows = [];
        for (const step of steps) {
            const outputs = [...replayer.programs.get(step).outputs.keys()];
            const found = await replayer.outputs(outputs.map((output) => [step, output]));
            outputs.forEach((output, index) => {
                const expected = known[`${name}/${step}/out/${output}`];
                rows.push({ what: output, difference: distance(found[index], expected), count: expected.length });
            });
        }
        for (const { what, buffer, stride } of buffers) {
            const expected = known[`${name}/buffer/${buffer}`];
            const all = await replayer.readState(buffer);
            const found = expected.map((_, index) => all[index * stride]);
            rows.push({ what, difference: distance(found, expected), count: expected.length });
        }
        each(name, rows);
    }
    before.forEach((numbers, buffer) => replayer.writeState(buffer, numbers));
}
