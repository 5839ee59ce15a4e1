// Facts, settings and figures as tables: of one run, or a column a run.

function wide(table) {
  return make("div", { class: "wide", tabindex: 0, role: "region", "aria-label": table.getAttribute("aria-label") }, table);
}

/** Rows of [name, value of each run]; `heads` stand above the values. */
function table(label, heads, rows) {
  const head = heads.length ? make("thead", {}, make("tr", {}, make("td"), heads.map((name) => make("th", { scope: "col" }, name)))) : null;
  const body = rows.map(([name, ...values]) => make("tr", {}, make("th", { scope: "row" }, name), values.map((value) => make("td", {}, value))));
  return wide(make("table", { "aria-label": label }, head, make("tbody", {}, body)));
}

/** The values of `pairs(run)` by name, a column a run. */
function columns(runs, pairs) {
  const maps = runs.map((run) => new Map(pairs(run)));
  const names = [...new Set(maps.flatMap((map) => [...map.keys()]))];
  return names.map((name) => [name, ...maps.map((map) => map.get(name) ?? "–")]);
}

function facts(run) {
  return make("dl", { class: "facts" }, run.facts.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value))));
}

/** Settings whose values are not the same in all runs. */
function differing(runs) {
  return columns(runs, (run) => run.settings).filter(([, ...values]) => values.some((value) => value !== values[0]));
}

function settings(run) {
  return make("dl", { class: "settings" }, run.settings.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value))));
}

function figure(value) {
  return value === null ? "not a number" : value.toFixed(4);
}

function evaluation(run) {
  if (!run.evaluation) return null;
  const row = ({ name, value, yardstick, of }) => [name, figure(value), yardstick === null ? "" : figure(yardstick), of];
  return table("figures", [`step ${run.evaluation.step}`, "yardstick", ""], run.evaluation.figures.map(row));
}

function evaluations(runs) {
  const pairs = (run) => [
    ["step", String(run.evaluation?.step ?? "not evaluated")],
    ...(run.evaluation?.figures ?? []).map(({ name, value, yardstick, of }) => [name, `${figure(value)}${yardstick === null ? "" : ` (${figure(yardstick)} ${of})`}`]),
  ];
  return table("figures", runs.map((run) => run.name), columns(runs, pairs));
}

function signs(run) {
  const item = ({ name, since, until, evidence, advice }) => make("li", {},
    make("strong", {}, name), ` from step ${since}${until === null ? " on" : ` to ${until}`}: ${evidence}. `, make("span", { class: "advice" }, `${advice[0].toUpperCase()}${advice.slice(1)}.`));
  return run.findings.length ? make("ul", { class: "signs" }, run.findings.map(item)) : make("p", {}, "None was seen.");
}

function commands(run) {
  return make("dl", { class: "commands" }, run.commands.map(([words, command]) => make("div", {}, make("dt", {}, words), make("dd", {}, make("code", {}, command)))));
}
