// Images between canvases, files and the numbers that networks see: bytes as byte / 127.5 - 1, channels together.

// The bytes of an image as `side` x `side` pixels: its middle, scaled, transparent parts over white.
export function square(image, side) {
    const canvas = new OffscreenCanvas(side, side);
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.fillStyle = "white";
    context.fillRect(0, 0, side, side);
    context.imageSmoothingQuality = "high";
    const { width, height } = image;
    const edge = Math.min(width, height);
    context.drawImage(image, (width - edge) / 2, (height - edge) / 2, edge, edge, 0, 0, side, side);
    return context.getImageData(0, 0, side, side).data;
}

// Bytes of RGBA pixels as numbers of `channels` channels.
export function numbers(rgba, channels) {
    const values = new Float32Array((rgba.length / 4) * channels);
    for (let pixel = 0; pixel < rgba.length / 4; pixel++) {
        const at = 4 * pixel;
        if (channels === 1) {
            const grey = 0.2126 * rgba[at] + 0.7152 * rgba[at + 1] + 0.0722 * rgba[at + 2];
            values[pixel] = grey / 127.5 - 1;
        } else {
            for (let channel = 0; channel < 3; channel++) values[3 * pixel + channel] = rgba[at + channel] / 127.5 - 1;
        }
    }
    return values;
}

// Numbers of one image as an image for a canvas.
export function image(values, side, channels) {
    const rgba = new Uint8ClampedArray(side * side * 4);
    for (let pixel = 0; pixel < side * side; pixel++) {
        for (let channel = 0; channel < 3; channel++) {
            const value = values[channels * pixel + (channels === 1 ? 0 : channel)];
            rgba[4 * pixel + channel] = Math.round((value + 1) * 127.5);
        }
        rgba[4 * pixel + 3] = 255;
    }
    return new ImageData(rgba, side, side);
}

// Draws images row by row onto a canvas, `gap` pixels between them.
export function grid(canvas, values, side, channels, columns, gap = 0) {
    const length = side * side * channels;
    const count = values.length / length;
    const extent = (cells) => cells * (side + gap) - gap;
    const [width, height] = [extent(Math.min(columns, count)), extent(Math.ceil(count / columns))];
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const context = canvas.getContext("2d");
    for (let index = 0; index < count; index++) {
        const image = image(values.subarray(index * length, (index + 1) * length), side, channels);
        context.putImageData(image, (index % columns) * (side + gap), Math.floor(index / columns) * (side + gap));
    }
}

// The images of one of the site's sheets, as RGBA bytes each.
export async function sheet({ file, count, columns, side }) {
    const whole = new Image();
    whole.src = file;
    await whole.decode();
    const canvas = new OffscreenCanvas(whole.width, whole.height);
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(whole, 0, 0);
    const cell = (index) => [(index % columns) * side, Math.floor(index / columns) * side];
    return Array.from({ length: count }, (_, index) => context.getImageData(...cell(index), side, side).data);
}
