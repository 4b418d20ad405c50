// The board as a table: a line for each model, its interval drawn in it, columns that can be sorted, groups of models
// that the votes cannot tell apart.
"use strict";

const { t, number } = bakeoff;
const SVG = "http://www.w3.org/2000/svg";
const ROW_PX = 20; // the height of an interval's drawing

// In the order of the table. `value` is what the column sorts by; first: "descending" where the most comes first.
const COLUMNS = [
  { key: "rank", value: (row) => row.rank },
  { key: "model", value: (row) => nameOf(row).toLowerCase() },
  { key: "score", value: (row) => row.score, first: "descending", classes: "n" },
  { key: "interval", value: (row) => (row.low === null ? null : row.high - row.low), classes: "wide plot" },
  { key: "votes", value: (row) => row.n_votes, first: "descending", classes: "n" },
  { key: "organization", value: (row) => row.organization?.toLowerCase() ?? null, classes: "wide fact" },
  { key: "license", value: (row) => row.license?.toLowerCase() ?? null, classes: "wide fact" },
];

export const USUAL_ORDER = "rank";

/** Whether this is an order that a table can be in: a column, a minus before it for descending. */
export function isOrder(text) {
  return COLUMNS.some(({ key }) => key === text.replace(/^-/, ""));
}

/** The columns that say something here, as [key, heading]. */
export function columnsOf(board) {
  return shownColumns(board).map(({ key }) => [key, headingOf(key, board)]);
}

/** Draw the table into `place`. `rows` are the lines to be shown; `onOrder` gets a new order, `onHelp` a button. */
export function drawTable(place, board, rows, { order, reason, onOrder, onHelp }) {
  const columns = shownColumns(board);
  const table = element("table", "board");
  const axis = axisOf(board);
  const head = element("tr");
  for (const column of columns) head.append(heading(column, board, axis, { order, onOrder, onHelp }));
  const sorted = inOrder(rows, order);
  table.append(element("caption", "unseen", t("nav.leaderboard")), wrap("thead", head));
  for (const { tier, rows: group } of groups(sorted, order)) {
    const body = element("tbody");
    if (tier !== null) body.append(groupRow(tier, firstOf(board, tier), columns.length));
    for (const row of group) body.append(line(row, columns, axis, reason));
    table.append(body);
  }
  const scroll = element("div", "scroll");
  scroll.append(table);
  const isFocused = place.contains(document.activeElement) && document.activeElement.dataset.column;
  place.replaceChildren(scroll);
  if (isFocused) place.querySelector(`button[data-column=${isFocused}]`)?.focus({ preventScroll: true });
}

export function nameOf(row) {
  return row.name ?? row.model;
}

function shownColumns(board) {
  const says = { organization: "organization", license: "license" };
  return COLUMNS.filter(({ key }) => !says[key] || board.ratings.some((row) => row[says[key]]));
}

function headingOf(key, board) {
  return t(`board.col.${key}`, { confidence: number(board.confidence, { style: "percent", maximumFractionDigits: 1 }) });
}

function heading(column, board, axis, { order, onOrder, onHelp }) {
  const cell = element("th", column.classes);
  cell.scope = "col";
  const isSorted = order.replace(/^-/, "") === column.key;
  if (isSorted) cell.ariaSort = order.startsWith("-") ? "descending" : "ascending";
  const button = element("button", "sort", headingOf(column.key, board));
  button.type = "button";
  button.dataset.column = column.key;
  button.addEventListener("click", () => onOrder(nextOrder(column, order)));
  const help = element("button", "what", "?");
  help.type = "button";
  help.ariaLabel = t("board.help", { column: headingOf(column.key, board) });
  help.setAttribute("popovertarget", "help");
  help.addEventListener("click", () => onHelp(help, t(`board.help.${column.key}`)));
  const row = element("span", "heading");
  row.append(button, help);
  cell.append(row);
  if (column.key === "interval" && axis) cell.append(scale(axis));
  return cell;
}

function nextOrder({ key, first }, order) {
  const [up, down] = [key, `-${key}`];
  if (order === up) return down;
  if (order === down) return up;
  return first === "descending" ? down : up;
}

/** Rated lines in this order, then those without a rating by name; what is missing stands last in any order. */
function inOrder(rows, order) {
  const column = COLUMNS.find(({ key }) => key === order.replace(/^-/, ""));
  const sign = order.startsWith("-") ? -1 : 1;
  const byPlace = (a, b) => (a.rank ?? Infinity) - (b.rank ?? Infinity) || nameOf(a).localeCompare(nameOf(b));
  const compare = (a, b) => {
    if ((a.score === null) !== (b.score === null)) return a.score === null ? 1 : -1;
    const [x, y] = [column.value(a), column.value(b)];
    if (x === null || y === null) return (x === null) - (y === null) || byPlace(a, b);
    return sign * (typeof x === "string" ? x.localeCompare(y) : x - y) || byPlace(a, b);
  };
  return [...rows].sort(compare);
}

/** The lines by groups that the votes cannot tell apart, where the table is in the order of ranks. */
function groups(rows, order) {
  const tiers = new Set(rows.map((row) => row.tier).filter((tier) => tier !== null && tier !== undefined));
  if (order !== USUAL_ORDER || tiers.size < 2) return [{ tier: null, rows }];
  const found = [...tiers].map((tier) => ({ tier, rows: rows.filter((row) => row.tier === tier) }));
  const rest = rows.filter((row) => !tiers.has(row.tier));
  return rest.length ? [...found, { tier: null, rows: rest }] : found;
}

/** The best of a group, whether it is shown or not. */
function firstOf(board, tier) {
  return board.ratings.filter((row) => row.tier === tier).reduce((best, row) => (row.rank < best.rank ? row : best));
}

function groupRow(tier, leader, width) {
  const row = element("tr", "tier");
  const cell = element("th", "", t("board.group", { n: tier, model: nameOf(leader) }));
  cell.colSpan = width;
  cell.scope = "rowgroup";
  row.append(cell);
  return row;
}

function line(row, columns, axis, reason) {
  const isRated = row.score !== null;
  const tr = element("tr", isRated ? "" : "unrated");
  tr.dataset.model = row.model;
  const cells = {
    rank: () => element("td", "rank", ranks(row)),
    model: () => modelCell(row, reason),
    score: () => scoreCell(row),
    interval: () => intervalCell(row, axis, reason),
    votes: () => element("td", "n", number(row.n_votes)),
    organization: () => element("td", "wide fact", row.organization ?? "–"),
    license: () => element("td", "wide fact", row.license ?? "–"),
  };
  for (const { key } of columns) tr.append(cells[key]());
  return tr;
}

function ranks({ rank, rank_low, rank_high }) {
  if (rank_low === null || rank_high === null) return rank === null ? "–" : number(rank);
  return rank_low === rank_high ? number(rank_low) : `${number(rank_low)}–${number(rank_high)}`;
}

function modelCell(row, reason) {
  const cell = element("th", "model");
  cell.scope = "row";
  const link = element("a");
  link.href = `./model?${new URLSearchParams({ id: row.model })}`;
  link.append(element("bdi", "", nameOf(row)));
  cell.append(link);
  for (const [key, is] of [["provisional", row.provisional && row.score !== null], ["retired", row.retired_at !== null]]) {
    if (is) cell.append(" ", element("span", `tag ${key}`, t(`board.${key}`)));
  }
  if (row.score === null) cell.append(because(element("small", "narrow"), row, reason));
  return cell;
}

function scoreCell(row) {
  const cell = element("td", "n score", row.score === null ? "–" : whole(row.score));
  if (row.score !== null) cell.append(element("small", "narrow", interval(row) ?? t("board.no_interval")));
  return cell;
}

/** The interval in words: the honest one, or that of single votes where there is no other; null without any. */
function interval(row) {
  if (row.low !== null) return t("board.range", { low: whole(row.low), high: whole(row.high) });
  return hasAlone(row) ? t("board.range_alone", { low: whole(row.low_independent), high: whole(row.high_independent) }) : null;
}

function hasAlone(row) {
  return row.low_independent !== null && row.low_independent !== undefined;
}

/** Why a line lacks something, in an element; where it is in no language but the engine's own, marked as English. */
function because(place, row, reason) {
  const words = reason(row.reason);
  place.textContent = words || t(row.score === null ? "board.unrated" : "board.no_interval");
  if (words && words === row.reason) place.lang = "en";
  return place;
}

function intervalCell(row, axis, reason) {
  const cell = element("td", "wide plot");
  const words = row.score === null ? null : interval(row);
  if (words === null) {
    return because(element("td", "wide quiet"), row, reason);
  }
  cell.append(drawing(row, axis, words));
  return cell;
}

// ---- the drawing ----

/** Where a score stands in the drawn column, in per cent of its width, with round numbers as marks; null without any. */
function axisOf(board) {
  const drawn = board.ratings
    .flatMap((row) => [row.score, row.low, row.high, ...(row.low === null ? [row.low_independent, row.high_independent] : [])])
    .filter((value) => value !== null && value !== undefined);
  if (!drawn.length) return null;
  const [least, most] = [Math.min(...drawn), Math.max(...drawn)];
  const margin = Math.max((most - least) * 0.04, 1);
  const [low, high] = [least - margin, most + margin];
  const step = roundStep((high - low) / 4);
  const marks = [];
  for (let mark = Math.ceil(low / step) * step; mark <= high; mark += step) marks.push(mark);
  return { at: (score) => `${((100 * (score - low)) / (high - low)).toFixed(2)}%`, marks };
}

/** The smallest of 1, 2, 5, 10, 20, … that is not below `rough`. */
function roundStep(rough) {
  const power = 10 ** Math.floor(Math.log10(Math.max(rough, 1)));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= Math.max(rough, 1) * (1 - 1e-9));
}

function scale({ at, marks }) {
  const scale = element("span", "axis");
  scale.ariaHidden = "true";
  for (const mark of marks) {
    const label = element("span", "", number(mark));
    label.style.left = at(mark);
    scale.append(label);
  }
  return scale;
}

function drawing(row, { at, marks }, words) {
  const picture = shape("svg", { class: "ci", width: "100%", height: ROW_PX, role: "img", "aria-label": words });
  picture.append(Object.assign(shape("title", {}), { textContent: words }));
  const middle = ROW_PX / 2;
  // The marks go on through the padding of the cell, so that they are one line down the column.
  for (const mark of marks) picture.append(shape("line", { class: "ci-mark", x1: at(mark), x2: at(mark), y1: -20, y2: ROW_PX + 20 }));
  const isAlone = row.low === null;
  if (hasAlone(row) && !isAlone && row.design_effect !== null && row.design_effect !== undefined) {
    picture.append(bar("ci-alone", at(row.low_independent), at(row.high_independent), middle));
  }
  const [low, high] = isAlone ? [row.low_independent, row.high_independent] : [row.low, row.high];
  picture.append(bar(isAlone ? "ci-span ci-dashed" : "ci-span", at(low), at(high), middle));
  picture.append(shape("circle", { class: "ci-dot", cx: at(row.score), cy: middle, r: 5 }));
  return picture;
}

function bar(kind, x1, x2, y) {
  return shape("line", { class: kind, x1, x2, y1: y, y2: y });
}

function shape(tag, attributes) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

function whole(score) {
  return number(Math.round(score) + 0); // + 0: there is a negative zero
}

export function element(tag, classes = "", text = "") {
  const made = document.createElement(tag);
  if (classes) made.className = classes;
  if (text) made.textContent = text;
  return made;
}

function wrap(tag, child) {
  const made = element(tag);
  made.append(child);
  return made;
}
