// What a reader can choose by: only where there is a choice. The choice itself stands in the page's address.
"use strict";
import { element } from "./board_table.js";

const { t, number, knows, language } = bakeoff;

// Which votes count, then which lines are shown; the names are those of the address and of /api/leaderboard.
export const VOTE_NAMES = ["category", "language", "source", "since", "until", "min_votes", "style", "up_to"];
export const LINE_NAMES = ["q", "organization", "license", "open_weights", "retired"];
const LISTS = ["category", "language", "source", "organization", "license", "open_weights"];

/** Draw the filters for what the arena offers. `onChange` gets a name and its new values. */
export function drawFilters(place, data, params, onChange) {
  const { offer, leaderboard: board } = data;
  const open = place.querySelector("details[open]")?.dataset.name;
  const focused = place.contains(document.activeElement) ? document.activeElement.id : "";
  const parts = LISTS.filter((name) => Object.keys(offer[name]).length > 1 || params.has(name)).map((name) =>
    pick(name, offer[name], chosen(name, data, params), onChange),
  );
  if (offer.style || params.has("style")) {
    parts.push(toggle("style", params.get("style") === "on", (on) => onChange("style", on ? ["on"] : []), t("board.style_hint")));
  }
  parts.push(more(offer, params, onChange));
  if (board.ratings.some((row) => row.retired_at)) {
    parts.push(toggle("retired_shown", params.get("retired") !== "no", (on) => onChange("retired", on ? [] : ["no"])));
  }
  if ([...VOTE_NAMES, ...LINE_NAMES].some((name) => params.has(name))) {
    const reset = button("reset", t("board.reset"), () => onChange(null, []));
    parts.push(reset);
  }
  place.replaceChildren(...parts);
  const opened = open && place.querySelector(`details[data-name="${open}"]`);
  if (opened) opened.open = true;
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
}

/** Close what is open when something else is pressed, or Escape is. */
export function closeOutside(place) {
  document.addEventListener("click", (event) => {
    for (const open of place.querySelectorAll("details[open]")) if (!open.contains(event.target)) open.open = false;
  });
  place.addEventListener("keydown", (event) => {
    const open = event.key === "Escape" && place.querySelector("details[open]");
    if (!open) return;
    open.open = false;
    open.querySelector("summary").focus();
  });
}

/** The filters that are on, in words. */
export function chosenInWords(params) {
  const told = [];
  for (const name of ["category", "language", "source"]) {
    if (params.has(name)) told.push(params.getAll(name).map((value) => valueName(name, value)).join(", "));
  }
  for (const name of ["since", "until", "min_votes"]) if (params.has(name)) told.push(`${t(`board.${name}`)}: ${params.get(name)}`);
  if (params.get("style") === "on") told.push(t("board.style"));
  return told;
}

/** Whether a line is shown: the same rule as on the server. */
export function isShown(row, params) {
  const text = (params.get("q") ?? "").toLowerCase();
  const names = [row.name ?? row.model, row.model, row.organization ?? "", ...row.aliases];
  const weights = row.open_weights === null ? null : row.open_weights ? "yes" : "no";
  const among = (name, value) => !params.has(name) || params.getAll(name).includes(value);
  return (
    names.some((name) => name.toLowerCase().includes(text)) &&
    among("organization", row.organization) &&
    among("license", row.license) &&
    (!params.has("open_weights") || among("open_weights", weights)) &&
    (params.get("retired") !== "no" || row.retired_at === null)
  );
}

function chosen(name, { log }, params) {
  if (params.has(name)) return params.getAll(name);
  return name === "source" ? log.sources : [];
}

function pick(name, values, on, onChange) {
  const box = element("details", "pick");
  box.dataset.name = name;
  const told = name === "source" || on.length ? on.map((value) => valueName(name, value)).join(", ") : "";
  const summary = element("summary", on.length && name !== "source" ? "on" : "", told || t(`board.all.${name}`));
  summary.id = `pick-${name}`;
  if (told) summary.ariaLabel = `${t(`board.all.${name}`)}: ${told}`;
  const list = element("fieldset");
  list.append(element("legend", "unseen", t(`board.all.${name}`)));
  const all = new Map([...Object.entries(values), ...on.filter((value) => !(value in values)).map((value) => [value, 0])]);
  for (const [value, n] of all) {
    const label = element("label");
    const check = Object.assign(element("input"), { type: "checkbox", checked: on.includes(value), id: `pick-${name}-${value}` });
    check.addEventListener("change", () => {
      onChange(name, [...all.keys()].filter((each) => (each === value ? check.checked : on.includes(each))));
    });
    label.append(check, element("span", "", valueName(name, value)), element("small", "", number(n)));
    list.append(label);
  }
  box.append(summary, list);
  return box;
}

function toggle(key, isOn, onToggle, hint = "") {
  const label = element("label", isOn ? "toggle on" : "toggle");
  const check = Object.assign(element("input"), { type: "checkbox", checked: isOn, id: `toggle-${key}`, role: "switch" });
  check.addEventListener("change", () => onToggle(check.checked));
  label.append(check, element("span", "", t(`board.${key}`)));
  label.title = hint;
  return label;
}

/** Dates, where votes have any, and how many votes a model needs. */
function more(offer, params, onChange) {
  const box = element("details", "pick");
  box.dataset.name = "more";
  const names = [...(offer.span ? ["since", "until"] : []), "min_votes"];
  const isOn = names.some((name) => params.has(name));
  const summary = element("summary", isOn ? "on" : "", offer.span ? t("board.more") : t("board.min_votes"));
  summary.id = "pick-more";
  const list = element("fieldset");
  list.append(element("legend", "unseen", t("board.more")));
  for (const name of names) list.append(field(name, offer, params, onChange));
  box.append(summary, list);
  return box;
}

function field(name, offer, params, onChange) {
  const label = element("label", "field");
  const input = element("input");
  input.id = `field-${name}`;
  if (name === "min_votes") Object.assign(input, { type: "number", min: "0", step: "1", value: params.get(name) ?? "" });
  else {
    const [first, last] = offer.span.map((time) => time.slice(0, 10));
    Object.assign(input, { type: "date", min: first, max: dayAfter(last), value: (params.get(name) ?? "").slice(0, 10) });
  }
  // When it is done, not at every key: each of these counts votes anew.
  input.addEventListener("change", () => input.validity.valid && onChange(name, input.value ? [input.value] : []));
  label.append(element("span", "", t(`board.${name}`)), input);
  return label;
}

function dayAfter(day) {
  return new Date(Date.parse(day) + 86_400_000).toISOString().slice(0, 10);
}

function valueName(name, value) {
  if (name === "language") return languageName(value);
  return knows(`board.${name}.${value}`) ? t(`board.${name}.${value}`) : value;
}

function languageName(tag) {
  try {
    return new Intl.DisplayNames([language], { type: "language" }).of(tag);
  } catch {
    return tag;
  }
}

function button(id, text, onClick) {
  const made = Object.assign(element("button", "", text), { type: "button", id });
  made.addEventListener("click", onClick);
  return made;
}
