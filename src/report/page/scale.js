// From values to places in a chart, and what stands beside its axes.

/** The place in `places`, in ascending order, that is nearest to `wanted`. */
function nearest(places, wanted) {
  let [low, high] = [0, places.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (places[middle] <= wanted) low = middle;
    else high = middle;
  }
  return wanted - places[low] <= places[high] - wanted ? low : high;
}

/** Exponential moving averages that span `share` of the values; young ones are divided by the weight they have seen. */
function smoothed(values, share) {
  const keep = 1 - 2 / (Math.max(values.length * share, 1) + 1);
  let [sum, weight] = [0, 0];
  return values.map((value) => {
    sum = keep * sum + (1 - keep) * value;
    weight = keep * weight + (1 - keep);
    return sum / weight;
  });
}

/** Of `all` at most `count`, evenly, the last among them. */
function evenly(all, count) {
  const chosen = Math.min(all.length, count);
  return Array.from({ length: chosen }, (_, index) => all[Math.round((index * (all.length - 1)) / Math.max(chosen - 1, 1))]);
}

/** Round numbers between two others, about `count` of them. */
function roundNumbers(low, high, count) {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= rough);
  const numbers = [];
  for (let at = Math.ceil(low / step); at * step <= high + step * 1e-9; at++) numbers.push(Number((at * step).toPrecision(12)));
  return numbers;
}

/** Powers of ten between two numbers, with 2 and 5 times them where they are few, and only some where they are many. */
function powersOfTen(low, high) {
  const [first, last] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
  const factors = last - first <= 2 ? [1, 2, 5] : [1];
  const every = Math.ceil((last - first) / 6);
  const numbers = [];
  for (let power = first; power <= last; power += every) {
    for (const factor of factors) numbers.push(Number(`${factor}e${power}`));
  }
  return numbers.filter((number) => number >= low * (1 - 1e-9) && number <= high * (1 + 1e-9));
}

/** What a chart of `lines` spans: from 0 where no value is negative; the lowest and highest hundredth of each line's values
 * do not count, so that single peaks do not flatten all else. */
function span(lines, log) {
  let [low, high] = [Infinity, -Infinity];
  for (const line of lines) {
    const ends = [...(line.lows.length ? line.lows.concat(line.highs) : line.means)];
    const values = ends.filter((value) => !log || value > 0).sort((a, b) => a - b);
    if (!values.length) continue;
    const ignored = Math.floor(values.length / 100);
    low = Math.min(low, values[ignored]);
    high = Math.max(high, values[values.length - 1 - ignored]);
  }
  if (low > high) return log ? [0.1, 1] : [0, 1];
  if (log) return low === high ? [low / 2, high * 2] : [low / 1.1, high * 1.1];
  if (low >= 0) return [0, high * 1.05 || 1];
  const margin = 0.05 * (high - low) || Math.abs(low);
  return [low - margin, Math.max(high + margin, 0)];
}
