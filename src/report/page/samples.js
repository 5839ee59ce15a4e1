// Samples of all runs through training, moved by one slider.

/** How long an image stays while they play, in milliseconds, and how long the last one does. */
const PACE = [160, 1600];

/** Earlier samples beside the one that is printed. */
const STRIP = 6;

class Slides {
  constructor(runs) {
    const frames = runs.flatMap((run) => run.sheets.flatMap((sheet) => sheet.frames));
    this.steps = [...new Set(frames.map((frame) => frame.step))].sort((a, b) => a - b);
    this.images = [];
    this.timer = null;
    const last = this.steps.length - 1;
    this.output = make("output", { for: "step" });
    this.slider = make("input", {
      id: "step", type: "range", min: 0, max: last, value: last, "aria-label": "step of the samples",
      oninput: () => {
        this.stop();
        this.show();
      },
    });
    this.button = make("button", { type: "button", class: "toggle", "aria-pressed": "false", onclick: () => this.play() }, "play");
    const shown = runs.flatMap((run) => run.sheets.filter((sheet) => sheet.frames.length).map((sheet) => ({ run, sheet })));
    // All of one run in a row, or each sheet of all runs.
    const names = [...new Set(shown.map(({ sheet }) => sheet.name))];
    const rows = runs.length === 1 ? [shown] : names.map((name) => shown.filter(({ sheet }) => sheet.name === name));
    this.element = make("div", {},
      make("div", { class: "bar" }, this.button, this.slider, this.output),
      rows.map((row) => make("div", { class: "sheets" }, row.map(({ run, sheet }) => this.sheet(run, sheet, runs.length > 1)))));
    this.show();
  }

  sheet(run, sheet, named) {
    const what = sheetName(sheet.name);
    const image = make("img", { class: "sample" });
    const caption = make("figcaption");
    const title = named ? `${run.name}, ${what}` : what;
    this.images.push({ frames: sheet.frames, image, caption, title });
    const moving = sheet.animation && make("figure", { class: "moving" },
      make("img", { src: sheet.animation, alt: `${title} through training, as an animation` }),
      make("figcaption", {}, "the same as an animation (GIF)"));
    const strip = evenly(sheet.frames, STRIP + 1).slice(0, -1).map(({ step, image }) =>
      make("figure", {}, make("img", { src: image, alt: `${title}, step ${step}` }), make("figcaption", {}, `step ${step}`)));
    return make("div", { class: "sheet" }, make("figure", {}, image, caption), moving || null, make("div", { class: "strip" }, strip));
  }

  show() {
    const step = this.steps[Number(this.slider.value)];
    this.output.value = `step ${step}`;
    this.slider.setAttribute("aria-valuetext", `step ${step}`);
    for (const { frames, image, caption, title } of this.images) {
      const frame = frames.findLast((frame) => frame.step <= step) ?? frames[0];
      image.src = frame.image;
      image.alt = `${title}, step ${frame.step}`;
      caption.textContent = image.alt;
    }
  }

  play() {
    if (this.timer !== null) return this.stop();
    this.button.setAttribute("aria-pressed", "true");
    this.button.textContent = "stop";
    const turn = () => {
      const next = (Number(this.slider.value) + 1) % this.steps.length;
      this.slider.value = next;
      this.show();
      this.timer = setTimeout(turn, PACE[Number(next === this.steps.length - 1)]);
    };
    turn();
  }

  stop() {
    clearTimeout(this.timer);
    this.timer = null;
    this.button.setAttribute("aria-pressed", "false");
    this.button.textContent = "play";
  }
}

/** What a sheet is called: `X to Y` for XtoY. */
function sheetName(name) {
  return name.replaceAll(/([XY])to/g, "$1 to ");
}
