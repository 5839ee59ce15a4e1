// Images between canvases, files and the numbers that networks see: bytes as byte / 127.5 - 1, channels together. Sizes are
// `[height, width]`, in pixels.

// The bytes of an image at a size: its middle, scaled, transparent parts over white unless they have a channel.
export function fitted(image, [height, width], channels) {
    const canvas = new OffscreenCanvas(width, height);
    const context = canvas.getContext("2d", { willReadFrequently: true });
    if (channels < 4) {
        context.fillStyle = "white";
        context.fillRect(0, 0, width, height);
    }
    context.imageSmoothingQuality = "high";
    const scale = Math.min(image.width / width, image.height / height);
    const [across, down] = [scale * width, scale * height];
    context.drawImage(image, (image.width - across) / 2, (image.height - down) / 2, across, down, 0, 0, width, height);
    return context.getImageData(0, 0, width, height).data;
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
            for (let channel = 0; channel < channels; channel++) values[channels * pixel + channel] = rgba[at + channel] / 127.5 - 1;
        }
    }
    return values;
}

// Numbers of one image as an image for a canvas.
export function image(values, [height, width], channels) {
    const rgba = new Uint8ClampedArray(height * width * 4);
    for (let pixel = 0; pixel < height * width; pixel++) {
        for (let channel = 0; channel < 3; channel++) {
            const value = values[channels * pixel + (channels === 1 ? 0 : channel)];
            rgba[4 * pixel + channel] = Math.round((value + 1) * 127.5);
        }
        rgba[4 * pixel + 3] = channels === 4 ? Math.round((values[4 * pixel + 3] + 1) * 127.5) : 255;
    }
    return new ImageData(rgba, width, height);
}

// The images of one of the site's sheets, as RGBA bytes each.
export async function sheet({ file, count, columns, size: [height, width] }) {
    const whole = new Image();
    whole.src = file;
    await whole.decode();
    const canvas = new OffscreenCanvas(whole.width, whole.height);
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(whole, 0, 0);
    const cell = (index) => [(index % columns) * width, Math.floor(index / columns) * height];
    return Array.from({ length: count }, (_, index) => context.getImageData(...cell(index), width, height).data);
}
