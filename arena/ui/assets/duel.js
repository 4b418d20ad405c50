// Two models head to head: who of the two, by which votes, how they went, and sample ballots of them.
"use strict";
import { combobox } from "./combobox.js";
import { element, figure, percent, withInterval } from "./plot.js";
import { rowsOf } from "./rows.js";
import { samplesOf } from "./samples.js";
import { addressed, english, facts, fillWith, inAddress, modelPage, points, recordHeads, recordSaid, whenBack } from "./study.js";

const { t, number } = bakeoff;

/** Put the choice of two models into the place, and what is found of them. `nameOf` gives a model's name by its id. */
export function startDuel(place, board, nameOf) {
  const rated = board.models.filter(({ score }) => score !== null);
  const options = rated.map(({ id }) => ({ id, name: nameOf(id) }));
  const found = element("div", { class: "found-duel", "aria-live": "polite" });
  let pair = wanted(rated);
  const show = () => {
    const asked = pair; // another one may be chosen before the answer comes
    fields.a.show(asked.a);
    fields.b.show(asked.b);
    fillWith(found, `/head-to-head?${new URLSearchParams(asked)}`, (answer) => [
      ...duel(answer, nameOf, percent(board.confidence, 1)),
      samplesOf("head-to-head", asked, "h3"),
    ]);
  };
  const change = (to) => {
    pair = to;
    inAddress(pair, { back: true });
    show();
  };
  const choose = (side) => (id) => {
    const other = side === "a" ? "b" : "a";
    change({ ...pair, [side]: id, [other]: pair[other] === id ? pair[side] : pair[other] });
  };
  const fields = {
    a: combobox({ label: t("study.first_model"), options, choose: choose("a") }),
    b: combobox({ label: t("study.second_model"), options, choose: choose("b") }),
  };
  const swap = element("button", { type: "button", class: "act" }, t("study.swap"));
  swap.addEventListener("click", () => change({ a: pair.b, b: pair.a }));
  place.replaceChildren(
    element("div", { class: "row choice" }, fields.a, element("span", { class: "quiet" }, t("study.against")), fields.b, swap),
    found,
  );
  place.removeAttribute("aria-busy");
  inAddress(pair);
  show();
  whenBack(() => {
    const then = wanted(rated);
    if (then.a === pair.a && then.b === pair.b) return;
    pair = then;
    show();
  });
}

/** The two models that the address names; the first two of the board for those that it does not. */
function wanted(rated) {
  const known = (name, other) => (rated.some(({ id }) => id === addressed(name)) ? addressed(name) : other);
  const a = known("a", rated[0].id);
  const b = known("b", rated[1].id);
  return a === b ? { a, b: rated.find(({ id }) => id !== a).id } : { a, b };
}

function duel({ found, record, decision, by_voter: byVoter }, nameOf, confidence) {
  const [a, b] = [nameOf(found.a), nameOf(found.b)];
  const { probability, points: gap } = found;
  const title = t("study.chance_of", { a, b });
  const said = t("study.chance_said", { a, b, chance: withInterval(probability, percent) });
  const chart = figure({
    title,
    note: probability.reason ? [english(probability.reason)] : [],
    table: {
      columns: [t("study.column.quantity"), t("study.column.value"), t("study.column.low"), t("study.column.high")],
      rows: [
        [title, probability.value, probability.low, probability.high],
        [t("study.gap"), gap.value, gap.low, gap.high],
        ...recordHeads().map((name, k) => [name, record[k], null, null]),
      ],
    },
    file: "head-to-head",
    drawing: rowsOf({
      rows: [{ name: a, ...probability, text: withInterval(probability, (value) => percent(value, 0)), said }],
      kind: "dot",
      domain: [0, 1],
      line: 0.5,
      form: (value) => percent(value, 0),
      axis: t("study.chance_axis", { confidence }),
    }),
  });
  const [wins, losses, ties, bothBad] = record;
  const isApart = gap.low !== null && (gap.low > 0 || gap.high < 0);
  return [
    element("p", { class: "verdict" }, isApart ? t("study.apart", { better: gap.value > 0 ? a : b, worse: gap.value > 0 ? b : a, confidence }) : t("study.not_apart", { a, b, confidence })),
    chart,
    wins + losses + ties + bothBad ? recordBar(record, a, b) : null,
    facts([
      [t("study.gap"), withInterval(gap, points)],
      [t("study.direct"), direct(found, decision, byVoter, a, b)],
      [t("study.needed"), needed(found)],
    ]),
    element("p", { class: "row" }, ...[found.a, found.b].map((id) => element("a", { href: modelPage(id) }, t("study.about_model", { model: nameOf(id) })))),
  ];
}

function direct({ n_used: nUsed, decided_at: at, is_in_order: isInOrder }, decision, byVoter, a, b) {
  if (!nUsed) return t("study.never_direct");
  const whose = ` ${t(byVoter ? "study.first_of_each" : "study.voters_unknown")}`;
  const order = whose + (isInOrder ? "" : ` ${t("study.by_chance")}`);
  if (decision === "undecided") return t("study.undecided", { n: nUsed }) + order;
  const values = { n: nUsed, at: at ?? nUsed, better: decision === "a" ? a : b, worse: decision === "a" ? b : a };
  return t(decision === "no_difference" ? "study.no_difference" : "study.decided", values) + order;
}

function needed({ votes_needed: n, votes_needed_reason: reason, power }) {
  if (n === null) return english(reason);
  return n ? t("study.needed_votes", { n, power: percent(power) }) : t("study.needed_none");
}

function recordBar(record, a, b) {
  const parts = [["a", record[0], a], ["tie", record[2], t("verdict.tie")], ["bad", record[3], t("verdict.both_bad")], ["b", record[1], b]];
  const shown = parts.filter(([, n]) => n);
  const said = t("study.record_said", { a, b, record: recordSaid(record) });
  return element(
    "div",
    { class: "record", role: "img", "aria-label": said },
    ...shown.map(([kind, n, name]) => element("span", { class: kind, style: `flex-grow:${n}`, title: `${name}: ${number(n)}` }, `${number(n)} ${name}`)),
  );
}
