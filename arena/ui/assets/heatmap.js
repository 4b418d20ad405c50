// A heat map of models against models: columns above, rows at the left, which stay in sight when the map is wider than
// its frame.
"use strict";
import { element, fitted, length, shape } from "./plot.js";

const { t } = bakeoff;

/**
 * names are both the rows' and the columns'; cell(row, column) gives { colour, text, said }, or null where there is
 * nothing; text stands in the cell where there is room for it. legend is [[colour, text]].
 */
export function heatMap({ names, cell, rowTitle, columnTitle, legend }) {
  return (width) => {
    const room = width < 600 ? 118 : 190;
    const side = Math.max(names.length > 24 ? 17 : 30, Math.min(46, Math.floor((width - room) / names.length)));
    const size = side < 22 ? 13 : 15;
    const top = Math.min(150, Math.max(...names.map((name) => length(name, size))) + 32);
    const across = names.length * side;
    const points = [];
    const marks = [];
    const at = new Map();
    for (let row = 0; row < names.length; row += 1) {
      for (let column = 0; column < names.length; column += 1) {
        const found = row === column ? null : cell(row, column);
        if (found === null) continue;
        const [x, y] = [column * side, top + row * side];
        marks.push(shape("rect", { x: x + 0.5, y: y + 0.5, width: side - 1, height: side - 1, style: `fill:${found.colour}` }));
        if (side >= 30) {
          const words = { x: x + side / 2, y: y + side / 2 + 5, class: `in ${found.strong ? "strong" : ""}` };
          marks.push(shape("text", words, found.text));
        }
        at.set(`${row} ${column}`, points.length);
        points.push({ x: x + side / 2, y: y + side / 2, box: [x, y, side, side], said: found.said, row, column });
      }
    }
    const heads = names.map((name, column) => {
      const [x, y] = [column * side + side / 2 + size / 3, top - 6];
      return shape("text", { transform: `translate(${x} ${y}) rotate(-90)`, style: `font-size:${size}px` }, fitted(name, top - 26, size));
    });
    const back = shape("rect", { class: "back", x: 0, y: top, width: across, height: across });
    const title = shape("text", { x: 0, y: 12, class: "axis-title" }, columnTitle);
    const svg = shape("svg", { width: across + 1, height: top + across + 1 }, back, title, ...heads, ...marks);
    const rows = names.map((name) =>
      element("span", { style: `height:${side}px;line-height:${side}px;font-size:${size}px` }, fitted(name, room - 16, size)),
    );
    const corner = element("b", { style: `height:${top}px` }, rowTitle);
    const labels = element("div", { class: "names", style: `width:${room}px`, "aria-hidden": "true" }, corner, ...rows);
    const node = element("div", {}, explained(legend), fading(element("div", { class: "scroll heat" }, labels, svg)));
    return { node, points, move: (index, right, down) => next(points, at, names.length, index, right, down) };
  };
}

/** The frame, which fades out at its right edge as long as there is more of the map behind it. */
function fading(frame) {
  const look = () => frame.classList.toggle("more", frame.scrollLeft + frame.clientWidth < frame.scrollWidth - 1);
  frame.addEventListener("scroll", look, { passive: true });
  new ResizeObserver(look).observe(frame);
  return frame;
}

/** The next cell that has a number in a direction; the same where there is none. */
function next(points, at, n, index, right, down) {
  let { row, column } = points[index];
  for (;;) {
    row += down;
    column += right;
    if (row < 0 || column < 0 || row >= n || column >= n) return index;
    const found = at.get(`${row} ${column}`);
    if (found !== undefined) return found;
  }
}

function explained(legend) {
  const entries = legend.map(([colour, text]) =>
    element("span", {}, element("i", { style: `background:${colour}` }), text),
  );
  return element("p", { class: "legend", "aria-hidden": "true" }, ...entries, element("span", {}, element("i", { class: "never" }), t("study.never_met")));
}

/** The colour of a share from 0 (lost) over a half to 1 (won): two hues that everybody can tell apart. */
export function ofShare(share) {
  const strength = Math.round(Math.abs(2 * share - 1) * 100);
  return `color-mix(in oklab, var(${share >= 0.5 ? "--heat-won" : "--heat-lost"}) ${strength}%, var(--heat-even))`;
}

/** The colour of a count, from few to most. */
export function ofCount(share) {
  return `color-mix(in oklab, var(--heat-won) ${Math.round(8 + Math.sqrt(share) * 92)}%, var(--heat-even))`;
}
