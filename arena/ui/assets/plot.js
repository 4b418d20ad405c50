// A plot with all that belongs to it: its title in words, a line that reads out the number under the pointer or the
// arrow keys, the numbers as a table, and as a file made in the browser.
//
// A drawing is made by a function of its width. It returns { node, points, move }: what to show; the places that have a
// number, each { x, y, box: [x, y, width, height], said }, which
// is a text, or several and elements; and move(index, right, down), the next place in a direction.
"use strict";

const SVG = "http://www.w3.org/2000/svg";
// Of more places than this not every number can be written beside its place, and a line says how to read them.
const MANY = 60;
const { t, number, one } = bakeoff;

/** An element of HTML. */
export function element(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

/** An element of SVG. */
export function shape(name, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, name), attributes, children);
}

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null));
  return node;
}

/** A share from 0 to 1 in per cent. */
export function percent(share, digits = 1) {
  return number(share, { style: "percent", maximumFractionDigits: digits, minimumFractionDigits: 0 });
}

/** A number with its interval, or by itself where there is none. */
export function withInterval({ value, low, high }, form = number) {
  if (value === null) return "–";
  if (low === null || high === null) return form(value);
  return t("study.interval", { value: form(value), low: form(low), high: form(high) });
}

const ruler = document.createElement("canvas").getContext("2d");

/** How wide a text is, in pixels. */
export function length(text, size = 15) {
  ruler.font = `400 ${size}px "Bakeoff Text", system-ui, sans-serif`;
  return ruler.measureText(text).width;
}

/** The text, or as much of it as there is room for. */
export function fitted(text, room, size = 15) {
  if (length(text, size) <= room) return text;
  let end = text.length;
  while (end > 1 && length(`${text.slice(0, end)}…`, size) > room) end -= 1;
  return `${text.slice(0, end)}…`;
}

/** Round numbers from low to high, about so many. */
export function ticks(low, high, about = 5) {
  const rough = (high - low) / Math.max(about, 1) || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((each) => each >= rough * 0.999);
  const found = [];
  for (let tick = Math.ceil(low / step - 1e-9) * step; tick <= high + step * 1e-9; tick += step) {
    found.push(Math.abs(tick) < step * 1e-9 ? 0 : tick);
  }
  return found;
}

/**
 * A figure on the page.
 *
 * title is a text; note one too, or several and elements; table is { columns: [text], rows: [[text or number or null]] }, forms gives some columns
 * a way to be written; file is the name of the download, without its ending. A drawing that is long gets a button, and
 * before it is pressed `false` as its second argument: not the whole.
 */
export function figure({ title, note: told = [], table, forms = [], file, drawing, head = null, isLong = false }) {
  const note = [told].flat();
  // A label cannot say that some of its words are in another language: it has the others only.
  const label = [title, note.filter((each) => typeof each === "string").join("").trim()].filter((each) => each).join(". ");
  const frame = element("div", { class: "frame" });
  const readout = element("p", { class: "readout", role: "status" });
  const root = element(
    "figure",
    { class: "plot" },
    element("figcaption", {}, element("h3", {}, title), note.join("") ? element("p", { class: "quiet" }, ...note) : null),
    head,
    frame,
    isLong ? whole() : null,
    readout,
    numbers(table, forms, file, title),
  );
  const place = { index: -1 };
  let drawnFor = 0;
  let isWhole = !isLong;
  const redraw = () => {
    const width = Math.floor(frame.clientWidth);
    if (!width || width === drawnFor) return;
    drawnFor = width;
    place.index = -1;
    frame.replaceChildren(readable(drawing(width, isWhole), `${label} ${t("study.hint_keys")}`, place, readout));
  };
  function whole() {
    const button = element("button", { type: "button", class: "act" }, t("study.show_all", { n: table.rows.length }));
    button.addEventListener("click", () => {
      isWhole = true;
      drawnFor = 0;
      button.remove();
      redraw();
      one("svg", frame).focus();
    });
    return button;
  }
  new ResizeObserver(redraw).observe(frame);
  return root;
}

/** The drawing's node, with its numbers within reach of pointer, finger and keys. */
function readable({ node, points, move }, label, place, readout) {
  const svg = node.tagName === "svg" ? node : node.querySelector("svg");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", label);
  if (!points.length) return node;
  svg.setAttribute("tabindex", "0");
  readout.classList.remove("now");
  readout.textContent = points.length > MANY ? t("study.hint") : "";
  const mark = shape("rect", { class: "here", rx: 3, visibility: "hidden" });
  svg.append(mark);

  const read = (index) => {
    if (index === place.index) return;
    place.index = index;
    const { box, said } = points[index];
    ["x", "y", "width", "height"].forEach((name, k) => mark.setAttribute(name, box[k]));
    mark.setAttribute("visibility", "visible");
    readout.replaceChildren(...[said].flat());
    readout.classList.add("now");
  };
  const nearest = (event) => {
    const { left, top } = svg.getBoundingClientRect();
    const [x, y] = [event.clientX - left, event.clientY - top];
    let best = 0;
    let least = Infinity;
    points.forEach((point, index) => {
      const far = (point.x - x) ** 2 + (point.y - y) ** 2;
      if (far < least) [best, least] = [index, far];
    });
    read(best);
  };
  svg.addEventListener("pointermove", nearest);
  svg.addEventListener("pointerdown", nearest);
  svg.addEventListener("focus", () => svg.matches(":focus-visible") && read(Math.max(place.index, 0)));
  svg.addEventListener("keydown", (event) => {
    const step = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] }[event.key];
    if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    read(move(Math.max(place.index, 0), ...step));
    mark.scrollIntoView({ block: "nearest", inline: "nearest" });
  });
  return node;
}

/** Numbers, behind a plot or by themselves: a folded table, made when it is opened, and a file. */
export function numbers(table, forms, file, title) {
  const details = element("details", {}, element("summary", {}, t("study.numbers")));
  details.addEventListener("toggle", () => {
    if (details.open && details.children.length === 1) details.append(listed(table, forms, title));
  });
  const button = element("button", { type: "button", class: "act" }, t("study.csv"));
  button.addEventListener("click", () => save(`${file}.csv`, csv(table)));
  return element("div", { class: "numbers" }, details, button);
}

function listed({ columns, rows }, forms, title) {
  const cell = (value, k) => {
    const text = value === null ? "–" : typeof value === "number" ? (forms[k] ?? digits)(value) : value;
    return element(k ? "td" : "th", { class: typeof value === "number" ? "n" : null, scope: k ? null : "row" }, text);
  };
  return element(
    "div",
    { class: "scroll", tabindex: 0, role: "region", "aria-label": title },
    element(
      "table",
      { class: "listed" },
      element("thead", {}, element("tr", {}, ...columns.map((name) => element("th", { scope: "col" }, name)))),
      element("tbody", {}, ...rows.map((row) => element("tr", {}, ...row.map(cell)))),
    ),
  );
}

function digits(value) {
  return number(value, { maximumFractionDigits: 4 });
}

/** RFC 4180, numbers with a point, what is absent empty. */
export function csv({ columns, rows }) {
  const field = (value) => {
    const text = value === null ? "" : String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [columns, ...rows].map((row) => row.map(field).join(",")).join("\r\n") + "\r\n";
}

function save(name, text) {
  const address = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
  element("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
