// A chart of lines over the steps: raw values faint, their moving average strong.

const COLOURS = 8;
const MARGIN = { top: 10, right: 14, bottom: 40, left: 58 };

/** Every chart of the page; one smoothing and the same hidden lines go for all. */
const charts = [];
const shared = { share: 0.04, hidden: new Set() };

function drawAll() {
  for (const chart of charts) chart.draw();
}

class Chart {
  /** `lines`: { label, colour, steps, means, lows, highs }; `marks`: { kind, step, text }. */
  constructor({ title, log, lines, marks = [], tall = false }) {
    Object.assign(this, { title, log, lines, marks, tall, width: 640, at: null });
    this.heading = make("figcaption", {}, make("span", { class: "chart-title" }, title), this.scaleButton());
    this.plot = make("div", { class: "plot" });
    this.tip = make("div", { class: "tip", role: "status", hidden: true });
    this.element = make("figure", { class: tall ? "chart tall" : "chart" }, this.heading, this.legend(), make("div", { class: "plot-box" }, this.plot, this.tip));
    charts.push(this);
    new ResizeObserver(() => this.fit()).observe(this.plot);
  }

  get steps() {
    return this.shown().reduce((most, line) => (line.steps.length > most.length ? line.steps : most), []);
  }

  shown() {
    return this.lines.filter((line) => !shared.hidden.has(line.label));
  }

  scaleButton() {
    return make("button", {
      type: "button", class: "toggle scale", "aria-pressed": String(this.log),
      onclick: (event) => {
        this.log = !this.log;
        event.currentTarget.setAttribute("aria-pressed", String(this.log));
        this.draw();
      },
    }, "log scale");
  }

  legend() {
    const entry = (line) => make("button", {
      type: "button", class: "toggle line", "aria-pressed": "true", "data-line": line.label, title: `show or hide ${line.label}`,
      onclick: () => {
        const hides = !shared.hidden.delete(line.label);
        if (hides) shared.hidden.add(line.label);
        for (const other of document.querySelectorAll("[data-line]")) {
          if (other.dataset.line === line.label) other.setAttribute("aria-pressed", String(!hides));
        }
        drawAll();
      },
    }, draw("svg", { class: "swatch", viewBox: "0 0 20 4", "aria-hidden": "true" }, draw("path", { d: "M0 2H20", ...looks(line) })), line.label);
    return make("div", { class: "legend", role: "group", "aria-label": `lines of ${this.title}` }, this.lines.map(entry));
  }

  /** Draws for a width, in pixels; that of its place on the screen where none is given. */
  fit(width = Math.round(this.plot.clientWidth)) {
    if (width > 0 && width !== this.width) {
      this.width = width;
      this.draw();
    }
  }

  draw() {
    const { width, log } = this;
    const height = Math.round(this.tall ? Math.min(Math.max(width * 0.45, 240), 420) : 220);
    const lines = this.shown();
    const [low, high] = span(lines, log);
    const last = Math.max(1, ...this.lines.flatMap((line) => line.steps.slice(-1)));
    const inner = { width: width - MARGIN.left - MARGIN.right, height: height - MARGIN.top - MARGIN.bottom };
    const upright = (value) => (log ? Math.log(Math.max(value, 1e-300)) : value);
    const share = (value) => (upright(value) - upright(low)) / (upright(high) - upright(low));
    this.x = (step) => MARGIN.left + (step / last) * inner.width;
    this.y = (value) => MARGIN.top + (1 - share(value)) * inner.height;
    Object.assign(this, { height, last });
    for (const line of lines) line.smooth = smoothed(line.means, shared.share);
    const clip = `clip-${charts.indexOf(this)}`;
    this.cross = draw("g", { class: "cross" });
    const svg = draw("svg", {
      viewBox: `0 0 ${width} ${height}`, tabindex: 0, role: "img", "aria-label": this.words(lines),
      onpointermove: (event) => this.point(event), onpointerdown: (event) => this.point(event),
      onpointerleave: () => this.show(null), onblur: () => this.show(null), onkeydown: (event) => this.key(event),
    },
    draw("clipPath", { id: clip }, draw("rect", { x: MARGIN.left, y: MARGIN.top - 1, width: inner.width, height: inner.height + 2 })),
    this.axes(low, high), this.markers(),
    draw("g", { "clip-path": `url(#${clip})` },
      lines.map((line) => draw("path", { class: "raw", d: this.raw(line), ...looks(line) })),
      lines.map((line) => draw("path", { class: "smooth", d: this.path(line.steps, line.smooth), ...looks(line) }))),
    this.cross);
    const focused = this.plot.contains(document.activeElement);
    this.plot.replaceChildren(svg);
    if (focused) svg.focus();
    this.show(this.at);
  }

  axes(low, high) {
    const { x, y, width, height, log, last } = this;
    const right = width - MARGIN.right;
    const values = log ? powersOfTen(low, high) : roundNumbers(low, high, 6);
    const steps = roundNumbers(0, last, Math.max(2, Math.floor(width / 110)));
    return draw("g", { class: "axes", "aria-hidden": "true" },
      values.map((value) => draw("path", { d: `M${MARGIN.left} ${y(value).toFixed(1)}H${right}` })),
      values.map((value) => draw("text", { x: MARGIN.left - 8, y: y(value) + 4, "text-anchor": "end" }, short(value))),
      steps.map((step) => draw("text", { x: x(step), y: height - MARGIN.bottom + 18, "text-anchor": "middle" }, short(step))),
      draw("text", { class: "unit", x: (MARGIN.left + right) / 2, y: height - 5, "text-anchor": "middle" }, "step"));
  }

  markers() {
    const { x, height } = this;
    return draw("g", { class: "marks" }, this.marks.map(({ kind, step, text }) =>
      draw("path", { class: kind, d: `M${x(step).toFixed(1)} ${MARGIN.top}V${height - MARGIN.bottom}` }, draw("title", {}, text))));
  }

  /** Through the values as they were measured; up and down again where a point stands for several. */
  raw(line) {
    if (!line.lows.length) return this.path(line.steps, line.means);
    const twice = line.steps.flatMap((step) => [step, step]);
    return this.path(twice, line.lows.flatMap((low, index) => [low, line.highs[index]]));
  }

  path(steps, values) {
    let [d, pen] = ["", "M"];
    steps.forEach((step, index) => {
      if (this.log && values[index] <= 0) pen = "M";
      else {
        d += `${pen}${this.x(step).toFixed(1)} ${this.y(values[index]).toFixed(1)}`;
        pen = "L";
      }
    });
    // A lone point is drawn as a dot.
    return steps.length === 1 && d ? `${d}h0.01` : d;
  }

  words(lines) {
    const ends = lines.map((line) => `${line.label} ends at ${short(line.smooth.at(-1))}`);
    return `${this.title}: ${ends.join(", ")}. Arrow keys move along the steps.`;
  }

  point(event) {
    const box = event.currentTarget.getBoundingClientRect();
    const left = ((event.clientX - box.left) / box.width) * this.width;
    const wanted = ((left - MARGIN.left) / (this.width - MARGIN.left - MARGIN.right)) * this.last;
    if (this.steps.length) this.show(this.steps[nearest(this.steps, wanted)]);
  }

  key(event) {
    const steps = this.steps;
    if (!steps.length) return;
    const now = this.at === null ? steps.length : nearest(steps, this.at);
    const far = event.shiftKey ? 10 : 1;
    const next = { ArrowLeft: now - far, ArrowRight: this.at === null ? 0 : now + far, Home: 0, End: steps.length - 1 }[event.key];
    if (event.key === "Escape") this.show(null);
    else if (next !== undefined) {
      event.preventDefault();
      this.show(steps[Math.min(Math.max(next, 0), steps.length - 1)]);
    }
  }

  /** Tells the values at a step, or none. */
  show(step) {
    this.at = step;
    const lines = step === null ? [] : this.shown().filter((line) => line.steps.length);
    this.tip.hidden = !lines.length;
    this.cross.replaceChildren();
    if (!lines.length) return;
    const left = this.x(step);
    this.cross.append(draw("path", { d: `M${left} ${MARGIN.top}V${this.height - MARGIN.bottom}` }));
    const rows = lines.map((line) => {
      const index = nearest(line.steps, step);
      const value = line.smooth[index];
      if (!this.log || value > 0) this.cross.append(draw("circle", { cx: this.x(line.steps[index]), cy: this.y(value), r: 3.5, style: `fill: ${colour(line)}` }));
      const raw = line.lows.length ? `${short(line.lows[index])} to ${short(line.highs[index])}` : short(line.means[index]);
      return make("tr", {}, make("td", {}, make("span", { class: "dot", style: `background: ${colour(line)}` })), make("td", {}, line.label), make("td", {}, short(value)), make("td", { class: "faint" }, raw));
    });
    const head = make("tr", {}, make("td"), make("td", {}, `step ${step}`), make("td", { class: "faint" }, "smoothed"), make("td", { class: "faint" }, "measured"));
    this.tip.replaceChildren(make("table", {}, head, rows));
    // Beside the step, on the side with more room, and never out of the chart.
    const [room, at, own] = [this.plot.clientWidth, (left / this.width) * this.plot.clientWidth, this.tip.offsetWidth];
    const beside = at > room / 2 ? at - own - 12 : at + 12;
    this.tip.style.left = `${Math.max(0, Math.min(beside, room - own))}px`;
  }
}

/** A line's colour and, where there are more lines than colours, its dashes. */
function looks(line) {
  const dashes = ["none", "6 4", "2 3"][Math.floor(line.colour / COLOURS) % 3];
  return { style: `stroke: ${colour(line)}; stroke-dasharray: ${dashes}` };
}

function colour(line) {
  return `var(--line-${line.colour % COLOURS})`;
}
