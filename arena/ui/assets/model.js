// The page of one model, named by its id in the address: its place, its record by category, against whom, over time.
"use strict";
import { combobox } from "./combobox.js";
import { element, figure, percent, withInterval } from "./plot.js";
import { MOST_ROWS, rowsOf } from "./rows.js";
import { samplesOf } from "./samples.js";
import {
  ask, because, duelPage, facts, modelPage, moment, recordHeads, recordSaid, sayInstead, shareText, showFindings,
  votesOverTime,
} from "./study.js";

const { t, number, one } = bakeoff;
const place = (section) => one(`#${section} .found`);
const round = (value) => number(value, { maximumFractionDigits: 0 });
// Links to a duel with so many of the strongest opponents stand in sight, those with the others are folded.
const STRONGEST = 3;
const short = (value) => percent(value, 0);

function show(section, ...nodes) {
  place(section).removeAttribute("aria-busy");
  place(section).replaceChildren(...nodes.filter((node) => node !== null));
}

function ranks({ rank, rank_low: low, rank_high: high }) {
  if (rank === null) return t("model.unranked");
  return low === high || low === null ? number(rank) : t("study.range", { low, high });
}

function rank({ entry, record, share, confidence }) {
  if (entry === null) return [element("p", {}, t("study.no_votes_yet"))];
  const unrated = entry.score === null ? element("p", { class: "verdict" }, ...because("study.unrated_why", entry.reason ?? "")) : null;
  return [
    unrated,
    facts([
      [t("study.column.rank"), entry.score === null ? null : ranks(entry)],
      [t("study.column.score"), entry.score === null ? null : withInterval({ value: entry.score, low: entry.low, high: entry.high }, round)],
      [t("study.column.votes"), number(entry.n_votes) + (entry.provisional ? ` (${t("study.provisional")})` : "")],
      [t("study.column.share"), shareText(share)],
      [t("study.record"), recordSaid(record)],
    ]),
    element("p", { class: "quiet" }, t("study.confidence", { confidence: percent(confidence) }), " ", t("study.share_alone")),
  ];
}

function kinds({ kinds: found }, axis) {
  if (!found.length) return element("p", {}, t("study.no_votes_yet"));
  const named = found.map((kind) => ({ ...kind, name: kind.name ?? t("study.no_category") }));
  const rows = named.map(({ name, record, share }) => ({ name, ...share, text: shareText(share), said: `${name}: ${shareText(share)}. ${recordSaid(record)}` }));
  return figure({
    title: t("study.kinds.plot"),
    note: t("study.kinds.note"),
    table: {
      columns: [t("study.column.category"), ...recordHeads(), t("study.column.share"), t("study.column.low"), t("study.column.high")],
      rows: named.map(({ name, record, share }) => [name, ...record, share.value, share.low, share.high]),
    },
    file: "categories",
    drawing: rowsOf({ rows, kind: "dot", domain: [0, 1], line: 0.5, form: short, axis }),
  });
}

function opponents({ model, opponents: found, names }, axis) {
  if (!found.length) return element("p", {}, t("study.no_votes_yet"));
  const rows = found.map(({ model: id, record, share, expected }) => ({
    name: names[id],
    ...share,
    mark: expected,
    text: expected === null ? shareText({ ...share, low: null }) : t("study.seen_expected", { seen: shareText({ ...share, low: null }), expected: short(expected) }),
    said: `${names[id]}: ${shareText(share)}${expected === null ? "" : `, ${t("study.expected_said", { expected: short(expected) })}`}. ${recordSaid(record)}`,
  }));
  const link = ({ model: id }) => element("a", { href: duelPage(model.id, id) }, t("study.against_model", { model: names[id] }));
  return [
    figure({
      title: t("study.opponents.plot", { model: model.name }),
      note: t("study.opponents.note"),
      table: {
        columns: [t("study.column.model"), ...recordHeads(), t("study.column.share"), t("study.column.low"), t("study.column.high"), t("study.column.expected")],
        rows: found.map(({ model: id, record, share, expected }) => [names[id], ...record, share.value, share.low, share.high, expected]),
      },
      file: "opponents",
      isLong: rows.length > MOST_ROWS,
      drawing: rowsOf({ rows, kind: "dot", domain: [0, 1], line: 0.5, form: short, axis }),
    }),
    element("p", { class: "row links-row" }, element("span", { class: "quiet" }, t("study.strongest")), ...found.slice(0, STRONGEST).map(link)),
    found.length > STRONGEST
      ? element("details", {}, element("summary", {}, t("study.duels")), element("ul", { class: "links" }, ...found.map((each) => element("li", {}, link(each)))))
      : null,
  ];
}

function about({ organization, license, open_weights: isOpen, url, retired_at: retired }) {
  const told = [organization, license, isOpen === null ? null : t(isOpen ? "study.open" : "study.closed")];
  if (retired) told.push(t("study.retired", { when: moment(retired, { dateStyle: "medium" }) }));
  const words = [told.filter((each) => each).join(" · ")];
  // Whatever a pack says, only an address of the web becomes a link.
  if (url && /^https?:\/\//i.test(url) && URL.canParse(url)) words.push(" ", element("a", { href: url, rel: "noopener noreferrer", target: "_blank" }, new URL(url).host));
  return words;
}

async function start() {
  const id = new URL(window.location.href).searchParams.get("id") ?? "";
  const answer = await ask(`/model?${new URLSearchParams({ id })}`);
  offerOthers(id);
  if (answer.status !== 200) return sayInstead(answer, start);
  const found = answer.data;
  showFindings();
  one("#name").textContent = found.model.name;
  document.title = `${found.model.name} · ${one(".brand").textContent}`;
  one("#facts").replaceChildren(...about(found.model));
  const axis = t("study.share_axis", { confidence: percent(found.confidence) });
  show("rank", ...rank(found));
  show("kinds", kinds(found, axis));
  show("opponents", ...[opponents(found, axis)].flat());
  show("time", votesOverTime(found.votes, "votes"));
  show("recent", samplesOf("model", { id: found.model.id }));
}

async function offerOthers(current) {
  const answer = await ask("");
  if (answer.status !== 200) return;
  const options = answer.data.models.map(({ id, name }) => ({ id, name }));
  const choose = (id) => window.location.assign(modelPage(id));
  const field = combobox({ label: t("study.other_model"), options, choose });
  one("#others").replaceChildren(field);
  field.show(current);
}

bakeoff.present("#study").then((root) => {
  bakeoff.fill(root);
  start();
});
