// The data-quality page: how many pairs a trainer could use, whether voters agree, and what moves verdicts.
"use strict";
import { meterOf } from "./meter.js";
import { element, figure, numbers, percent, withInterval } from "./plot.js";
import { MOST_ROWS, rowsOf } from "./rows.js";
import { askAgain, because, english, facts, moment, sayInstead, showFindings } from "./study.js";

const { t, knows, number, one, language } = bakeoff;

let sure = "";
const place = (section) => one(`#${section} .found`);
const two = (value) => number(value, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
/** Names of the engine are English: said so where the page is not. */
const foreign = language === "en" ? null : "en";

// ---- readiness ----

function readiness(found) {
  const { n_usable: usable, n_gold: gold, band, missing, marks, gold_needed: goldNeeded } = found;
  const levels = Object.entries(marks).slice(1).map(([name, at]) => ({ at, name: t(`quality.enough.${name}`) }));
  const goldText = gold >= goldNeeded ? t("quality.gold.enough", { n: gold, needed: goldNeeded }) : t("quality.gold.short", { n: gold, needed: goldNeeded, missing: goldNeeded - gold });
  const verdict = t(`quality.ready.${band}`, { n: usable });
  const next = missing === null ? null : t("quality.ready.next", { n: missing });
  const rows = [
    { name: t("quality.usable"), value: usable, text: number(usable), marks: levels, said: [verdict, next].filter((each) => each).join(" ") },
    { name: t("quality.gold"), value: gold, text: number(gold), marks: [{ at: goldNeeded, name: t("quality.enough.gold") }], said: goldText },
  ];
  return [
    element("p", { class: "verdict" }, verdict, next && " ", next),
    element("p", {}, goldText),
    figure({
      title: t("quality.meter"),
      note: t("quality.meter.about"),
      table: {
        columns: [t("study.column.quantity"), t("quality.column.pairs"), ...levels.map(({ at }) => t("quality.column.mark", { n: at }))],
        rows: [
          [t("quality.usable"), usable, ...levels.map(({ at }) => reached(usable, at))],
          [t("quality.gold"), gold, ...levels.map(({ at }) => (at === goldNeeded ? reached(gold, at) : null))],
        ],
      },
      file: "readiness",
      drawing: meterOf({ rows }),
    }),
    funnel(found),
  ];
}

function reached(value, mark) {
  return value >= mark ? t("quality.reached") : t("quality.missing", { n: mark - value });
}

/** From all pairs with votes down to those that are left: each reason takes its piece off the end. */
function funnel({ n_usable: usable, n_gold: gold, n_pairs: all, pairs_left_out: lost, n_votes: votes, n_votes_kept: kept, votes_left_out: votesLost }) {
  const share = (n) => percent(n / all);
  const row = (name, from, to, more) => {
    const n = to - from;
    return { name, value: to, from, short: number(n), text: `${number(n)} (${share(n)})`, said: t("quality.funnel.said", { what: name, n, share: share(n) }), ...more };
  };
  let end = all;
  const steps = Object.entries(lost).map(([reason, n]) => {
    end -= n;
    const said = [english(reason), ": ", t("quality.funnel.lost", { n, share: share(n) })];
    return row(reason, end, end + n, { faint: true, lang: foreign, said });
  });
  const rows = [row(t("quality.collected"), 0, all), ...steps, ...(gold ? [row(t("quality.gold"), usable, usable + gold)] : []), row(t("quality.usable"), 0, usable)];
  const reasons = [...new Set([...Object.keys(lost), ...Object.keys(votesLost)])];
  return figure({
    title: t("quality.funnel"),
    note: t("quality.funnel.about", { n: votes, kept, pairs: number(all) }),
    table: {
      columns: [t("quality.column.step"), t("quality.column.pairs"), t("study.column.votes")],
      rows: [
        [t("quality.collected"), all, votes],
        ...reasons.map((reason) => [reason, lost[reason] ?? null, votesLost[reason] ?? null]),
        [t("quality.gold"), gold, null],
        [t("quality.usable"), usable, null],
        [t("quality.kept"), usable + gold, kept],
      ],
    },
    file: "funnel",
    isLong: rows.length > MOST_ROWS,
    drawing: rowsOf({ rows, stacks: true, kind: "bar", domain: [0, all], form: (value) => number(value), axis: t("quality.funnel.axis") }),
  });
}

// ---- consent ----

/** How many voters agreed to be published, by version of the terms; nothing where nobody was asked. */
function consents(counts) {
  if (!counts.length) return null;
  const rows = counts.map(({ version, license, n_yes: yes, n_no: no }) => [
    t("quality.consent.terms", { version, license }),
    element("span", {}, t("quality.consent.told", { yes: number(yes), no: number(no) })),
  ]);
  return element("div", {}, element("h3", {}, t("quality.consent")), element("p", { class: "quiet" }, t("quality.consent.about")), facts(rows));
}

// ---- agreement ----

const GROUPS = ["category", "guideline", "week"];

function agreement(found) {
  const { all, outcome, floor } = found;
  const told = all.value === null
    ? because("quality.agreement.unknown", all.reason)
    : [named(all), ...(all.low === null ? [" ", english(all.reason)] : [])];
  const share = (each) => (each.value === null ? english(each.reason) : each.low === null ? [percent(each.value), " (", english(each.reason), ")"] : withInterval(each, percent));
  return [
    element("p", { class: "verdict" }, ...told),
    element("p", {}, t(`quality.gate.${outcome}`, { floor: two(floor) })),
    facts([
      [t("quality.voters"), number(found.n_voters)],
      [t("quality.judged"), t("quality.judged.told", { n: found.n_items, several: number(all.n_items) })],
      [t("quality.compared"), number(all.n_pairs)],
      [t("quality.same"), share(found.same)],
      [t("quality.same_decisive"), share(found.same_decisive)],
      [t("quality.again"), found.again.n ? t("quality.again.told", { share: withInterval(found.again, percent), n: found.again.n }) : english(found.again.reason)],
    ].map(([term, what]) => [term, element("span", {}, ...[what].flat())])),
    ...GROUPS.map((group) => byGroup(found, group)),
  ];
}

function named(all) {
  const alpha = withInterval(all, two);
  return all.band === null ? t("quality.agreement.few", { alpha }) : t("quality.agreement.told", { alpha, band: t(`quality.band.${all.band}`) });
}

function byGroup({ all, by, untold, bands, n_votes: nVotes }, group) {
  const told = [[t("quality.all"), all], ...by[group].map((each) => [each.name, each])];
  const missing = untold[group] ? t("quality.untold", { n: untold[group] }) : "";
  const title = t(`quality.by.${group}`);
  if (told.length === 1) {
    return element("div", {}, element("h3", {}, title), element("p", { class: "quiet" }, t(nVotes ? `quality.by.${group}.none` : "quality.no_votes")));
  }
  const rows = told.map(([name, each]) => {
    const word = each.band === null ? "" : t(`quality.band.${each.band}`);
    const text = each.value === null ? "–" : `${withInterval(each, two)} ${word}`.trim();
    const why = each.reason === null ? [] : [" ", english(each.reason)];
    return { name, ...each, text, faint: each.band === null, said: [t("quality.alpha_said", { what: name, alpha: text, n: each.n_pairs, items: number(each.n_items), voters: number(each.n_voters) }), ...why] };
  });
  const ends = rows.flatMap(({ value, low }) => [value, low]).filter((end) => end !== null);
  const lowest = Math.max(Math.floor(Math.min(0, ...ends) * 5) / 5, -1);
  const starts = Object.entries(bands).map(([band, least]) => [band, least ?? lowest]).sort((a, b) => a[1] - b[1]);
  const zones = starts.map(([band, from], k) => ({ name: t(`quality.band.${band}`), from, to: starts[k + 1]?.[1] ?? 1 }));
  const n = rows.filter(({ value }) => value === null).length;
  const notes = [t("quality.alpha.about", { confidence: sure, fair: two(bands.fair), moderate: two(bands.moderate), strong: two(bands.strong) }), missing, rows.some(({ value, band }) => value !== null && band === null) ? t("quality.alpha.few") : "", n ? t("quality.absent", { n }) : ""];
  return figure({
    title,
    note: notes.filter((each) => each).join(" "),
    table: {
      columns: [t("study.column.quantity"), t("quality.column.alpha"), t("study.column.low"), t("study.column.high"), t("quality.column.band"), t("quality.voters"), t("study.column.pairs_of_answers"), t("study.column.pairs_of_votes"), t("quality.column.why")],
      rows: rows.map((row) => [row.name, row.value, row.low, row.high, row.band === null ? null : t(`quality.band.${row.band}`), row.n_voters, row.n_items, row.n_pairs, row.reason]),
    },
    file: `agreement-${group}`,
    isLong: rows.length > MOST_ROWS,
    drawing: rowsOf({ rows, stacks: true, kind: "dot", domain: [lowest, 1], zones, form: (value) => number(value, { maximumFractionDigits: 2 }), axis: t("quality.alpha.axis", { confidence: sure }) }),
  });
}

// ---- audits ----

const ofForm = {
  share: (value) => percent(value),
  points: (value) => number(value, { style: "percent", maximumFractionDigits: 1, signDisplay: "exceptZero" }),
  logit: (value) => number(value, { maximumFractionDigits: 2, signDisplay: "exceptZero" }),
};
const form = (each) => ofForm[each.form] ?? ((value) => number(value, { maximumFractionDigits: 3 }));

/** What a figure is called, in the language of the page where it has a name there. */
function label({ audit, name, label: english_ }) {
  const pattern = /^(half|week|guideline|own)_(side_a|tie|longer|gold|affirmative)$/.exec(name);
  if (pattern) return t(`quality.change.${pattern[1]}`, { what: t(`quality.share.${pattern[2]}`) });
  if (audit === "formatting" && knows(`quality.trait.${name.replace(/_wins$/, "")}`)) {
    const trait = t(`quality.trait.${name.replace(/_wins$/, "")}`);
    return name.endsWith("_wins") ? t("quality.trait_wins", { trait }) : t("quality.trait_worth", { trait });
  }
  return knows(`quality.figure.${audit}.${name}`) ? t(`quality.figure.${audit}.${name}`) : english_;
}

/** The scales that a forest can have: which figures stand on it, and the value that says that nothing is amiss. */
const FORESTS = {
  half: { of: (each) => each.form === "share" && each.expected === 0.5, line: 0.5 },
  logit: { of: (each) => each.form === "logit", line: 0 },
  points: { of: (each) => each.form === "points", line: 0 },
  tests: { of: (each) => each.form === "share" && each.expected === 0, line: 0 },
};

function audits({ audits: found, n_sampled: sampled }) {
  if (!found.length) return element("p", { class: "verdict" }, t("quality.no_pairs"));
  const nOf = (speaks) => found.filter((each) => each.speaks === speaks).length;
  const all = found.flatMap(({ audit, figures }) => figures.map((each) => ({ audit, ...each })));
  const known = all.filter(({ value }) => value !== null);
  const drawn = new Set(Object.values(FORESTS).flatMap(({ of }) => known.filter(of)));
  const rest = known.filter((each) => !drawn.has(each));
  const absent = all.filter(({ value }) => value === null);
  return [
    element("p", { class: "verdict" }, t("quality.audits.told", { n: nOf(true), silent: number(nOf(false)), open: number(nOf(null)) })),
    sampled === null ? null : element("p", {}, t("quality.sampled", { n: number(sampled) })),
    facts(found.map(({ audit, speaks }) => {
      const state = speaks === null ? "open" : speaks ? "speaks" : "silent";
      return [t(`quality.audit.${audit}`), element("span", {}, element("b", {}, t(`quality.state.${state}`)), " ", t(`quality.audit.${audit}.${state}`))];
    })),
    ...Object.entries(FORESTS).map(([name, { of, line }]) => forest(name, known.filter(of), line)),
    others(rest),
    absent.length ? withoutValue(absent) : null,
  ];
}

function forest(name, figures, line) {
  if (!figures.length) return null;
  const rows = figures.map((each) => {
    const text = withInterval(each, form(each));
    const chance = each.p_value === null ? "" : ` ${t("quality.chance", { p: each.p_value < 0.001 ? "< 0.001" : `= ${number(each.p_value, { maximumFractionDigits: 3 })}` })}`;
    const speaks = each.speaks ? ` ${t("quality.speaks")}` : "";
    const said = [t("quality.figure_said", { what: `${t(`quality.audit.${each.audit}`)}: ${label(each)}`, value: text, n: number(each.n) }), " ", english(each.unit), ".", chance, speaks];
    return { ...each, name: (each.speaks ? "★ " : "") + label(each), faint: !each.decides, text, said };
  });
  return figure({
    title: t(`quality.forest.${name}`),
    note: `${t(`quality.forest.${name}.about`)} ${t("quality.forest.note", { confidence: sure })}`,
    table: tableOf(figures),
    file: `audits-${name}`,
    isLong: rows.length > MOST_ROWS,
    drawing: rowsOf({ rows, stacks: true, kind: "dot", domain: scale(figures, line, name), line, form: form(figures[0]), axis: t(`quality.forest.${name}.axis`, { confidence: sure }) }),
  });
}

/** All that is drawn, the value of no effect in the middle where there are two sides to it. */
function scale(figures, line, name) {
  const ends = figures.flatMap(({ value, low, high }) => [value, low, high]).filter((end) => end !== null);
  const far = Math.max(...ends.map((end) => Math.abs(end - line)), name === "half" ? 0.1 : 0.05) * 1.06;
  if (name === "tests") return [0, Math.min(far, 1)];
  return name === "half" ? [Math.max(line - far, 0), Math.min(line + far, 1)] : [line - far, line + far];
}

function tableOf(figures) {
  return {
    columns: [t("quality.column.audit"), t("study.column.quantity"), t("study.column.value"), t("study.column.low"), t("study.column.high"), t("quality.column.no_effect"), "n", t("quality.column.unit"), "p", "q", t("quality.column.speaks"), t("quality.column.method"), t("quality.column.why")],
    rows: figures.map((each) => [
      t(`quality.audit.${each.audit}`), label(each), each.value, each.low, each.high, each.expected, each.n, each.unit, each.p_value, each.q_value,
      each.speaks ? t("quality.yes") : t("quality.no"), each.method, each.reason,
    ]),
  };
}

/** Figures that have nothing to be held against, or a scale of their own. */
function others(figures) {
  if (!figures.length) return null;
  return element(
    "div",
    { class: "plot" },
    element("h3", {}, t("quality.others")),
    facts(figures.map((each) => [label(each), element("span", {}, `${withInterval(each, form(each))} · ${number(each.n)} `, english(each.unit))])),
    numbers(tableOf(figures), [], "audits-others", t("quality.others")),
  );
}

/** What cannot be told is not left away: it stands here, each with its reason. */
function withoutValue(figures) {
  const lines = figures.map((each) => element("li", {}, `${t(`quality.audit.${each.audit}`)}: ${label(each)}. `, english(each.reason ?? "")));
  return element("details", {}, element("summary", {}, t("quality.not_told", { n: figures.length })), element("ul", {}, ...lines));
}

// ---- the page ----

async function start() {
  const answer = await askAgain("./api/quality", () => {
    for (const name of ["readiness", "agreement", "audits"]) {
      place(name).replaceChildren(element("p", { class: "quiet", role: "status" }, t("study.slow")));
    }
  });
  if (answer.status !== 200) return sayInstead(answer, start);
  const found = answer.data;
  sure = percent(found.confidence, 1);
  showFindings();
  const sources = found.sources.map((each) => t(`board.source.${each}`)).join(", ");
  one("#as-of").replaceChildren(
    t("quality.as_of", { n: found.n_votes, sources, when: moment(found.inspected_at), snapshot: found.snapshot.slice(0, 6), log: number(found.n_log) }),
    ...(found.is_renewed ? [" ", t("quality.is_renewed")] : []),
  );
  const made = { readiness: [...readiness(found.readiness), consents(found.consents)], agreement: agreement(found.agreement), audits: audits(found) };
  for (const [name, what] of Object.entries(made)) {
    place(name).replaceChildren(...[what].flat().filter((each) => each !== null));
    place(name).removeAttribute("aria-busy");
  }
  // The section that a link names was not there yet when the browser looked for it.
  if (window.location.hash) document.getElementById(window.location.hash.slice(1))?.scrollIntoView();
}

bakeoff.present("#study").then((root) => {
  bakeoff.fill(root);
  start();
});
