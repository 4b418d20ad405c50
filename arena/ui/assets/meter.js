// Numbers against the marks that they are to reach: one bar below the other, on a scale whose steps are ten times each.
"use strict";
import { length, shape } from "./plot.js";

const { number } = bakeoff;
const ROW = 84;
const BAR = 30;
const TALL = 18;
// Up to about this number the scale is even, and beyond it each step is ten times the one before: so that none has a
// place, and 500, 5,000 and 50,000 stand equally far apart.
const EVEN = 50;
const LEAST_END = 100_000;

/**
 * rows are { name, value, text, marks, said }: marks are numbers, each { at, name }. A name stands beside its number where
 * there is room.
 */
export function meterOf({ rows }) {
  return (width) => {
    const place = (value) => Math.log10(1 + value / EVEN);
    const end = place(Math.max(LEAST_END, ...rows.map(({ value }) => value * 1.2)));
    const x = (value) => (place(value) / end) * width;
    const marks = [];
    const points = rows.map((row, k) => {
      const top = k * ROW;
      const [y, foot] = [top + BAR, top + BAR + TALL];
      marks.push(shape("text", { class: "name", x: 0, y: top + 19 }, row.name));
      marks.push(shape("text", { class: "strong", x: width, y: top + 19, "text-anchor": "end" }, row.text));
      marks.push(shape("rect", { class: "track", x: 0.5, y, width: width - 1, height: TALL, rx: 4 }));
      if (row.value) marks.push(shape("rect", { class: "bar", x: 0.5, y, width: Math.max(x(row.value) - 0.5, 2), height: TALL, rx: 4 }));
      row.marks.forEach((mark, j) => marks.push(...marked(mark, x(mark.at), x(row.marks[j + 1]?.at ?? Infinity), width, y, foot)));
      return { x: 0, y: y + TALL / 2, box: [1, y - 3, width - 2, TALL + 6], said: row.said };
    });
    const node = shape("svg", { width, height: rows.length * ROW }, ...marks);
    const move = (index, right, down) => Math.min(Math.max(index + (down || right), 0), rows.length - 1);
    return { node, points, move };
  };
}

/** A line across the bar, and its number below; with what it stands for, if that ends before the next one. */
function marked({ at, name }, x, next, width, y, foot) {
  const long = `${number(at)}: ${name}`;
  const text = x + length(long, 14) + 14 < Math.min(next, width) ? long : number(at);
  return [
    shape("line", { class: "mark", x1: x, x2: x, y1: y - 4, y2: foot + 4 }),
    shape("text", { class: "tick", x: Math.min(x, width - length(text, 14) - 2), y: foot + 21 }, text),
  ];
}
