// Lines over votes, with the interval of each as a band; and bars over time.
"use strict";
import { fitted, shape, ticks } from "./plot.js";

const { number } = bakeoff;
const LEFT = 58;
const TOP = 10;
const FOOT = 50;

/** How many lines can be told apart. */
export const MOST_LINES = 8;

/** Which colour each model's line has, by id. Those that have one keep it; others get the first that is free. */
export function coloursOf(ids, before = new Map()) {
  const colours = new Map([...before].filter(([id]) => ids.includes(id)));
  const taken = new Set(colours.values());
  for (const id of ids) {
    if (colours.has(id)) continue;
    const free = [...Array(MOST_LINES).keys()].find((colour) => !taken.has(colour)) ?? 0;
    colours.set(id, free);
    taken.add(free);
  }
  return colours;
}

const MOST_FULL_BANDS = 2;

/**
 * The scale of such lines: round numbers that hold every score shown, and the intervals of the newest ones. The wide
 * intervals of a young board would leave the lines no room; `isCut` says that some reach beyond.
 */
export function scaleOf(series) {
  const known = series.flatMap(({ values }) => values.filter((value) => value !== null).map((value) => value.value));
  const newest = series.flatMap(({ values }) => [values.at(-1)?.low, values.at(-1)?.high]);
  const ends = [...known, ...newest.filter((end) => Number.isFinite(end))];
  const [least, most] = [Math.min(...ends), Math.max(...ends)];
  const room = (most - least) * 0.05 || 10;
  const marks = ticks(least - room, most + room, 5);
  const step = marks.length > 1 ? marks[1] - marks[0] : 10;
  const [low, high] = [Math.floor((least - room) / step) * step, Math.ceil((most + room) / step) * step];
  const isCut = series.some(({ values }) => values.some((value) => value !== null && ((value.low ?? low) < low || (value.high ?? high) > high)));
  return { low, high, isCut };
}

/**
 * series are { name, colour, values: [{ value, low, high } or null] }, one value at each of `places` (ascending numbers);
 * said(series, place) is what is read out; scale is that of `scaleOf`.
 */
export function linesOf({ series, places, scale, xAxis, yAxis, said }) {
  return (width) => {
    const hasNames = width >= 640;
    const right = hasNames ? 170 : 12;
    const height = width < 600 ? 300 : 380;
    const [inner, tall] = [width - LEFT - right, height - TOP - FOOT];
    const { low, high } = scale;
    const [first, last] = [places[0], places.at(-1)];
    const x = (place) => LEFT + (last > first ? (place - first) / (last - first) : 0.5) * inner;
    const y = (value) => TOP + (1 - (value - low) / (high - low)) * tall;
    const marks = [...frame(width - right, tall, { low, high, y, yAxis, xAxis, inner })];
    for (const tick of ticks(first, last, width < 600 ? 3 : 6)) {
      marks.push(shape("text", { class: "tick", x: x(tick), y: TOP + tall + 18, "text-anchor": "middle" }, number(tick)));
    }
    const points = [];
    const at = new Map();
    // A window of its own: what reaches beyond the scale ends at its edge. Many bands over each other are fainter each,
    // or they would hide the lines.
    const opacity = Math.min(1, MOST_FULL_BANDS / series.length);
    const bands = shape("svg", { opacity, x: LEFT, y: TOP, width: inner, height: tall, viewBox: `${LEFT} ${TOP} ${inner} ${tall}`, overflow: "hidden" });
    marks.push(bands);
    series.forEach(({ values, colour }, k) => {
      const known = values.map((value, j) => ({ ...value, place: places[j], j })).filter(({ value }) => value !== undefined);
      for (const run of runs(known)) {
        if (run.length > 1) {
          const edge = [...run.map((v) => [x(v.place), y(v.high)]), ...run.toReversed().map((v) => [x(v.place), y(v.low)])];
          bands.append(shape("polygon", { class: `band c${colour}`, points: edge.join(" ") }));
        } else {
          const [v] = run;
          bands.append(shape("line", { class: `stroke c${colour}`, x1: x(v.place), x2: x(v.place), y1: y(v.low), y2: y(v.high) }));
        }
      }
      const path = known.map((v) => `${x(v.place)},${y(v.value)}`).join(" ");
      marks.push(shape("polyline", { class: `stroke c${colour} d${colour}`, points: path }));
      for (const v of known) {
        if (known.length <= 15) marks.push(shape("circle", { class: `point c${colour}`, cx: x(v.place), cy: y(v.value), r: 3.5 }));
        at.set(`${k} ${v.j}`, points.length);
        const box = [x(v.place) - 7, y(v.value) - 7, 14, 14];
        points.push({ x: x(v.place), y: y(v.value), box, said: said(series[k], v.j), k, j: v.j });
      }
    });
    if (hasNames) marks.push(...endNames(series, y, width - right + 10, right - 12, [TOP, TOP + tall]));
    const node = shape("svg", { width, height }, ...marks);
    return { node, points, move: (index, right_, down) => next(points, at, series, places.length, index, right_, down) };
  };
}

/** The values with an interval, in runs without a gap: a band over a board that had none would invent one. */
function runs(known) {
  const found = [];
  let last = null;
  for (const each of known) {
    if (each.low === null || each.high === null) continue;
    if (last !== null && each.j === last + 1) found.at(-1).push(each);
    else found.push([each]);
    last = each.j;
  }
  return found;
}

/** Along the line, or at the same place to the line above or below. */
function next(points, at, series, n, index, right, down) {
  const { k, j } = points[index];
  if (right) {
    for (let other = j + right; other >= 0 && other < n; other += right) {
      if (at.has(`${k} ${other}`)) return at.get(`${k} ${other}`);
    }
    return index;
  }
  const column = series.map((_, line) => at.get(`${line} ${j}`)).filter((each) => each !== undefined);
  const sorted = column.sort((a, b) => points[a].y - points[b].y);
  return sorted[Math.min(Math.max(sorted.indexOf(index) + down, 0), sorted.length - 1)];
}

/** The names at the ends of their lines, apart from each other. */
function endNames(series, y, x, room, [top, bottom]) {
  const ends = series
    .map(({ name, colour, values }) => ({ name, colour, y: y(values.findLast((value) => value !== null)?.value ?? 0) }))
    .sort((a, b) => a.y - b.y);
  const step = 17;
  ends.forEach((end, k) => {
    end.y = Math.max(end.y, top + 5, k ? ends[k - 1].y + step : -Infinity);
  });
  for (let k = ends.length - 1, floor = bottom; k >= 0; k -= 1, floor = ends[k + 1].y - step) ends[k].y = Math.min(ends[k].y, floor);
  return ends.map(({ name, colour, y: height }) =>
    shape("text", { class: `end c${colour}`, x, y: height + 5 }, fitted(name, room, 14)),
  );
}

/** Bars over time: bars are { name, value, said }, in their order. */
export function columnsOf({ bars, xAxis, yAxis }) {
  return (width) => {
    const height = 260;
    const [inner, tall] = [width - LEFT - 8, height - TOP - FOOT];
    const high = Math.max(...bars.map(({ value }) => value), 1) * 1.05;
    const step = inner / bars.length;
    const y = (value) => TOP + (1 - value / high) * tall;
    const marks = [...frame(width - 8, tall, { low: 0, high, y, yAxis, xAxis, inner })];
    const every = Math.ceil(bars.length / Math.max(Math.floor(inner / 110), 1));
    const points = bars.map(({ name, value, said }, k) => {
      const x = LEFT + k * step;
      const wide = Math.max(Math.min(step - 1, 60), 0.5);
      const from = x + (step - wide) / 2;
      if (value) marks.push(shape("rect", { class: "bar", x: from, y: y(value), width: wide, height: TOP + tall - y(value) }));
      if (k % every === 0) {
        marks.push(shape("text", { class: "tick", x: x + step / 2, y: TOP + tall + 18, "text-anchor": "middle" }, name));
      }
      return { x: x + step / 2, y: 0, box: [from - 1, TOP, wide + 2, tall], said };
    });
    const node = shape("svg", { width, height }, ...marks);
    const move = (index, right, down) => Math.min(Math.max(index + (right || down), 0), bars.length - 1);
    return { node, points, move };
  };
}

function* frame(end, tall, { low, high, y, yAxis, xAxis, inner }) {
  for (const tick of ticks(low, high, 5)) {
    yield shape("line", { class: "grid", x1: LEFT, x2: end, y1: y(tick), y2: y(tick) });
    yield shape("text", { class: "tick", x: LEFT - 8, y: y(tick) + 5, "text-anchor": "end" }, number(tick));
  }
  yield shape("text", { class: "axis-title", transform: `translate(13 ${TOP + tall / 2}) rotate(-90)`, "text-anchor": "middle" }, yAxis);
  yield shape("text", { class: "axis-title", x: LEFT + inner / 2, y: TOP + tall + 42, "text-anchor": "middle" }, xAxis);
}
