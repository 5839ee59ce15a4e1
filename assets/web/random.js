// The page's own randomness; other numbers than the run's, of the same distributions.

// sfc32 (Doty-Humphrey's Small Fast Counting generator): numbers from 0 up to 1.
export function generator(seed) {
    let [a, b, c, counter] = [seed >>> 0, 0x9e3779b9, 0x243f6a88, 1];
    const next = () => {
        const sum = (a + b + counter) | 0;
        counter = (counter + 1) | 0;
        a = b ^ (b >>> 9);
        b = (c + (c << 3)) | 0;
        c = (((c << 21) | (c >>> 11)) + sum) | 0;
        return (sum >>> 0) / 4294967296;
    };
    for (let i = 0; i < 15; i++) next();
    return next;
}

export const freshSeed = () => crypto.getRandomValues(new Uint32Array(1))[0];

// `count` numbers, uniform from -1 to 1, or normal (Box and Muller).
export function noise(random, kind, count) {
    const draw =
        kind === "uniform"
            ? () => 2 * random() - 1
            : () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    return Float32Array.from({ length: count }, draw);
}

// The noise at `t` of the way from `a` to `b`: straight for uniform noise, along the sphere for normal noise.
export function between(kind, a, b, t) {
    const dot = (a, b) => a.reduce((sum, value, index) => sum + value * b[index], 0);
    let [from, to] = [1 - t, t];
    if (kind === "normal") {
        const cosine = dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
        const angle = Math.acos(Math.min(1, Math.max(-1, cosine)));
        // Along nearly parallel noises the sphere is flat.
        if (Math.sin(angle) > 1e-3) {
            [from, to] = [Math.sin((1 - t) * angle) / Math.sin(angle), Math.sin(t * angle) / Math.sin(angle)];
        }
    }
    return a.map((value, index) => from * value + to * b[index]);
}

export function shuffled(random, count) {
    const order = Array.from({ length: count }, (_, index) => index);
    for (let last = count - 1; last > 0; last--) {
        const other = Math.floor(random() * (last + 1));
        [order[last], order[other]] = [order[other], order[last]];
    }
    return order;
}

// A parameter of DiffAugment (src/data/diffaugment.rs) for a batch of images.
export function augmentation(random, parameter, batch, size) {
    const uniform = (low, high) => Float32Array.from({ length: batch }, () => low + (high - low) * random());
    const reach = size.map((side) => Math.floor((side + 4) / 8));
    const shift = (_, index) => Math.floor(random() * (2 * reach[index % 2] + 1)) - reach[index % 2];
    const draws = {
        brightness: () => uniform(-0.5, 0.5),
        saturation: () => uniform(0, 2),
        contrast: () => uniform(0.5, 1.5),
        shift: () => Float32Array.from({ length: 2 * batch }, shift),
        mask: () => masks(random, batch, size),
    };
    return draws[parameter]();
}

// 1 everywhere but in a rectangle of half of either side somewhere in each image, cut off by its borders.
function masks(random, batch, size) {
    const [height, width] = size;
    const mask = new Float32Array(batch * height * width).fill(1);
    const span = (side) => {
        const length = side >> 1;
        const centre = Math.floor(random() * (side + 1 - (length % 2)));
        return [Math.max(0, centre - (length >> 1)), Math.min(side, centre + length - (length >> 1))];
    };
    for (let image = 0; image < batch; image++) {
        const [[top, bottom], [left, right]] = size.map(span);
        for (let y = top; y < bottom; y++) {
            const row = (image * height + y) * width;
            mask.fill(0, row + left, row + right);
        }
    }
    return mask;
}
