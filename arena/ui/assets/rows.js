// Named numbers below each other: bars, or dots with their intervals, on one scale.
"use strict";
import { fitted, length, shape, ticks } from "./plot.js";

const { number } = bakeoff;
const ROW = 28;
const STACKED = 50;
const EDGE = 18;
const FOOT = 46;
const ZONE = 24;

/** So many rows are shown at first. */
export const MOST_ROWS = 20;

/**
 * rows are { name, value, low, high, mark, text, short, said, from, faint, lang }: low and high the interval, mark a
 * second number (a tick) to hold the first against; value, low, high and mark may be null. A bar goes from `from`, else
 * from 0. `text` is written beside it, where there is little room `short`, else the value; `lang` is the language of the
 * name where it is another than the page's. `line` is a number of the scale at which a line goes down; `zones` are parts
 * of the scale with names, { name, from, to }, whose ends are then its only ticks. With `stacks` names that would be cut
 * for want of room stand above their rows.
 */
export function rowsOf({ rows: all, kind, domain = null, line = null, zones = [], form = number, axis, stacks = false }) {
  return (width, isWhole) => {
    const rows = isWhole ? all : all.slice(0, MOST_ROWS);
    const isNarrow = width < 600;
    const longest = Math.max(...rows.map(({ name }) => length(name)), 0);
    const isStacked = stacks && isNarrow && longest + 14 > width * 0.36;
    const row = isStacked ? STACKED : ROW;
    const left = isStacked ? EDGE : Math.min(longest + 14, width * (isNarrow ? 0.36 : 0.26));
    const right = isStacked ? EDGE : isNarrow ? 64 : Math.min(Math.max(...rows.map(({ text }) => length(text ?? "")), 40) + 16, 220);
    const inner = width - left - right;
    const [low, high] = domain ?? limits(rows, kind);
    const x = (value) => left + ((value - low) / (high - low || 1)) * inner;
    const inside = (value) => x(Math.min(Math.max(value, low), high));
    const top = zones.length ? ZONE : 0;
    const bottom = top + rows.length * row + 6;
    const marks = zones.flatMap((zone, k) => shaded(zone, k, x, inside, bottom));
    let end = -Infinity;
    for (const tick of zones.length ? endsOf(zones) : ticks(low, high, isStacked ? 5 : isNarrow ? 3 : 6)) {
      marks.push(shape("line", { class: "grid", x1: x(tick), x2: x(tick), y1: top, y2: bottom }));
      const half = length(form(tick), 14) / 2;
      if (x(tick) - half < end + 4) continue; // zones end where they do, and may be narrow
      end = x(tick) + half;
      marks.push(shape("text", { class: "tick", x: x(tick), y: bottom + 16, "text-anchor": "middle" }, form(tick)));
    }
    if (line !== null) marks.push(shape("line", { class: "level", x1: x(line), x2: x(line), y1: top, y2: bottom }));
    const over = isStacked ? " over" : ""; // then they stand on the lines of the scale
    const points = rows.map((each, k) => {
      const y = top + k * row + (isStacked ? row - 14 : row / 2 + 3);
      const written = isStacked ? y - 14 : y + 5;
      const room = isStacked ? width - 70 : left - 14;
      const text = isNarrow ? (each.value === null ? "–" : (each.short ?? form(each.value))) : (each.text ?? "");
      marks.push(shape("text", { class: `name${over}`, x: 0, y: written, lang: each.lang }, fitted(each.name, room)));
      marks.push(shape("text", { class: `tick${over}`, x: width, y: written, "text-anchor": "end" }, text));
      if (each.value !== null) marks.push(...drawn(each, kind, y, x, inside));
      const box = isStacked ? [1, y - row + 16, width - 2, row - 2] : [left, y - row / 2 + 1, inner, row - 2];
      return { x: each.value === null ? left : inside(each.value), y, box, said: each.said };
    });
    marks.push(shape("text", { class: "axis-title", x: left + inner / 2, y: bottom + 38, "text-anchor": "middle" }, axis));
    const node = shape("svg", { width, height: bottom + FOOT }, ...marks);
    const move = (index, right, down) => Math.min(Math.max(index + (down || right), 0), rows.length - 1);
    return { node, points: aside(points), move };
  };
}

/** The pointer reads the row that it is on, wherever in it: all places are at one x, far to the left. */
function aside(points) {
  return points.map((point) => ({ ...point, x: 0 }));
}

/** A part of the scale, every other one in a shade, with its name above where there is room. */
function shaded({ name, from, to }, k, x, inside, bottom) {
  const [start, end] = [inside(from), inside(to)];
  const shade = shape("rect", { class: `zone z${k % 2}`, x: start, y: ZONE - 2, width: end - start, height: bottom - ZONE + 2 });
  const title = shape("text", { class: "tick", x: (start + end) / 2, y: ZONE - 8, "text-anchor": "middle" }, name);
  return length(name, 14) <= end - start - 4 ? [shade, title] : [shade];
}

function endsOf(zones) {
  return [...new Set([zones[0].from, ...zones.map(({ to }) => to)])];
}

function drawn({ value, low, high, mark, faint, from: start = 0 }, kind, y, x, inside) {
  const shapes = [];
  if (kind === "bar") {
    const from = inside(start);
    const to = inside(value);
    const bar = { class: faint ? "bar faint" : "bar", x: Math.min(from, to), y: y - 8, width: Math.max(Math.abs(to - from), 1), height: 16, rx: 2 };
    shapes.push(shape("rect", bar));
  } else {
    if (low !== null && low !== undefined && high !== null) {
      shapes.push(shape("line", { class: "interval", x1: inside(low), x2: inside(high), y1: y, y2: y }));
    }
    shapes.push(shape("circle", { class: faint ? "dot faint" : "dot", cx: inside(value), cy: y, r: 5 }));
  }
  if (mark !== null && mark !== undefined) {
    shapes.push(shape("line", { class: "mark", x1: inside(mark), x2: inside(mark), y1: y - 10, y2: y + 10 }));
  }
  return shapes;
}

function limits(rows, kind) {
  const ends = rows.flatMap((row) => [row.value, row.low, row.high, row.mark]).filter((end) => Number.isFinite(end));
  const low = Math.min(...ends, kind === "bar" ? 0 : Infinity);
  const high = Math.max(...ends);
  const room = (high - low) * 0.05 || Math.abs(high) * 0.05 || 1;
  return [kind === "bar" && low === 0 ? 0 : low - room, high + room];
}
