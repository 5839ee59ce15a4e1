// Curves of losses on a canvas.
import { element } from "./elements.js";

const MOST = 1000;

export function curve(names) {
    const canvas = element("canvas", { class: "curve", hidden: true, role: "img", "aria-label": `Losses ${names.join(" and ")} by step` });
    let points = [];
    const style = (name) => getComputedStyle(canvas).getPropertyValue(name);

    function draw() {
        const scale = devicePixelRatio || 1;
        const [width, height] = [canvas.clientWidth, canvas.clientHeight];
        Object.assign(canvas, { width: width * scale, height: height * scale });
        const context = canvas.getContext("2d");
        context.scale(scale, scale);
        context.font = "12px system-ui, sans-serif";
        const values = points.flatMap(({ losses }) => names.map((name) => losses[name])).filter((value) => Number.isFinite(value));
        if (!values.length) return;
        const [low, high] = [Math.min(0, ...values), Math.max(...values, 1e-6)];
        const [first, last] = [points[0].t, points[points.length - 1].t];
        const x = (t) => 48 + ((t - first) / Math.max(1, last - first)) * (width - 56);
        const y = (value) => height - 22 - ((value - low) / (high - low)) * (height - 34);
        context.fillStyle = context.strokeStyle = style("--quiet");
        context.textAlign = "right";
        for (const value of [low, (low + high) / 2, high]) {
            context.fillText(value.toFixed(2), 42, y(value) + 4);
            context.globalAlpha = 0.3;
            context.beginPath();
            context.moveTo(48, y(value));
            context.lineTo(width - 8, y(value));
            context.stroke();
            context.globalAlpha = 1;
        }
        context.fillText(`step ${last.toLocaleString()}`, width - 8, height - 4);
        context.textAlign = "left";
        context.fillText(first.toLocaleString(), 48, height - 4);
        names.forEach((name, index) => {
            context.strokeStyle = context.fillStyle = style(`--curve-${index}`);
            context.beginPath();
            for (const { t, losses } of points) {
                if (Number.isFinite(losses[name])) context.lineTo(x(t), y(losses[name]));
            }
            context.stroke();
            context.fillText(name, 56 + 24 * index, 14);
        });
    }

    new ResizeObserver(draw).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
    return {
        canvas,
        add(t, losses) {
            canvas.hidden = false;
            points.push({ t, losses });
            // Long runs keep every second point.
            if (points.length > MOST) points = points.filter((_, index) => index % 2 === 0);
            draw();
        },
        clear() {
            points = [];
            canvas.hidden = true;
        },
    };
}
