// The page, from the block of data to its sections.

const { introduction, runs } = JSON.parse(document.getElementById("data").textContent);
const alone = runs.length === 1 ? runs[0] : null;
const main = document.querySelector("main");

/** Vertical lines of a run's charts: where signs of trouble began, and where it was gone on with. */
function marks(run) {
  return [
    ...run.findings.map(({ name, since }) => ({ kind: "sign", step: since, text: `${name}, from step ${since}` })),
    ...run.resumed.map(([step, device]) => ({ kind: "start", step, text: `went on after step ${step} on ${device}` })),
  ];
}

/** Of one run: a chart a group of figures. */
function chartsOfOne(run) {
  return make("div", { class: "charts" }, run.charts.map(({ title, log, series }, index) => {
    const lines = series.map((line, colour) => ({ ...line, label: line.name, colour }));
    return new Chart({ title, log, lines, marks: marks(run), tall: index === 0 }).element;
  }));
}

/** Of several: a chart a figure, with a line a run. */
function chartsOfAll() {
  const titles = [...new Set(runs.flatMap((run) => run.charts.map((chart) => chart.title)))];
  return titles.flatMap((title) => {
    const groups = runs.map((run) => run.charts.find((chart) => chart.title === title));
    const names = [...new Set(groups.flatMap((group) => group?.series.map((line) => line.name) ?? []))];
    const own = (name) => groups.flatMap((group, colour) => {
      const line = group?.series.find((line) => line.name === name);
      return line ? [{ ...line, label: runs[colour].name, colour }] : [];
    });
    const log = groups.find((group) => group).log;
    return [make("h3", {}, title), make("div", { class: "charts many" }, names.map((name) => new Chart({ title: name, log, lines: own(name) }).element))];
  });
}

function smoothing() {
  const output = make("output", { for: "smoothing" });
  const tell = () => (output.value = shared.share ? `over ${Math.round(100 * shared.share)} % of the values` : "none");
  const slider = make("input", {
    id: "smoothing", type: "range", min: 0, max: 20, value: 100 * shared.share,
    oninput: (event) => {
      shared.share = Number(event.currentTarget.value) / 100;
      tell();
      drawAll();
    },
  });
  tell();
  return make("div", { class: "bar" }, make("label", { for: "smoothing" }, "smoothing"), slider, output);
}

const sampled = runs.some((run) => run.sheets.some((sheet) => sheet.frames.length));
const measured = runs.some((run) => run.charts.length);
const judged = runs.some((run) => run.evaluation);
const each = (what) => runs.flatMap((run) => [make("h3", {}, run.name), what(run)]);
const names = runs.map((run) => run.name);

if (introduction) main.append(make("p", { class: "introduction" }, introduction));
if (alone) {
  main.append(facts(alone));
} else {
  const different = differing(runs);
  main.append(
    section("differences", "What differs", different.length ? table("settings that differ", names, different) : make("p", {}, "No setting differs.")),
    section("runs", "The runs", table("runs", names, columns(runs, (run) => run.facts))),
  );
}
if (sampled) main.append(section("samples", "Samples through training", new Slides(runs).element));
if (measured) main.append(section("curves", "Curves", smoothing(), alone ? chartsOfOne(alone) : chartsOfAll()));
if (measured) main.append(section("signs", "Signs of trouble", alone ? signs(alone) : each(signs)));
if (judged) main.append(section("figures", "Figures", alone ? evaluation(alone) : evaluations(runs)));
if (alone) {
  main.append(section("settings", "Settings", settings(alone)), section("next", "How to continue", commands(alone)));
}
drawAll();

// On paper, text in a chart is as large as on the screen.
addEventListener("beforeprint", () => charts.forEach((chart) => chart.fit(chart.tall ? 680 : 330)));
addEventListener("afterprint", () => charts.forEach((chart) => chart.fit()));
