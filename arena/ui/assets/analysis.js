// The Analysis page: what stands behind the board, one section a question, each asked when it comes near the window.
"use strict";
import { combobox } from "./combobox.js";
import { heatMap, ofCount, ofShare } from "./heatmap.js";
import { startDuel } from "./duel.js";
import { MOST_LINES, coloursOf, linesOf, scaleOf } from "./lines.js";
import { element, figure, numbers, percent, withInterval } from "./plot.js";
import { MOST_ROWS, rowsOf } from "./rows.js";
import {
  addressed, allAddressed, ask, because, english, fillWith, inAddress, moment, points, recordHeads, recordSaid, sayInstead, shareText,
  showFindings, votesOverTime, whenBack, whenNear,
} from "./study.js";

const { t, number, one } = bakeoff;
let board = null;
let names = new Map();

const nameOf = (id) => names.get(id) ?? id;
const place = (section) => one(`#${section} .found`);
const round = (value) => number(value, { maximumFractionDigits: 0 });
const sure = () => percent(board.confidence, 1);

/** Names as they are, but for those that two models share: these with their ids. */
function named(models) {
  const count = new Map();
  for (const { name } of models) count.set(name, (count.get(name) ?? 0) + 1);
  return new Map(models.map(({ id, name }) => [id, count.get(name) > 1 ? `${name} (${id})` : name]));
}

// ---- who met whom ----

function matrix({ models, n_models: nModels, counts_both_bad: countsBothBad, cells }) {
  const records = new Map();
  for (const [i, j, wins, losses, ties, bothBad] of cells) {
    records.set(`${i} ${j}`, [wins, losses, ties, bothBad]);
    records.set(`${j} ${i}`, [losses, wins, ties, bothBad]);
  }
  const votes = (record) => record.reduce((sum, n) => sum + n, 0);
  const counted = (record) => votes(record) - (countsBothBad ? 0 : record[3]);
  const share = (record) => (counted(record) ? (record[0] + (record[2] + (countsBothBad ? record[3] : 0)) / 2) / counted(record) : null);
  const most = Math.max(...[...records.values()].map(votes), 1);
  const rows = models.map(nameOf);
  const said = (i, j, record) =>
    t("study.cell_said", { a: rows[i], b: rows[j], n: votes(record), share: share(record) === null ? "–" : percent(share(record), 0), record: recordSaid(record) });
  const kinds = {
    won: (i, j) => {
      const record = records.get(`${i} ${j}`);
      if (!record || share(record) === null) return null;
      const value = share(record);
      return { colour: ofShare(value), text: number(Math.round(value * 100)), strong: Math.abs(value - 0.5) > 0.3, said: said(i, j, record) };
    },
    votes: (i, j) => {
      const record = records.get(`${i} ${j}`);
      if (!record) return null;
      const n = votes(record);
      return { colour: ofCount(n / most), text: number(n), strong: n / most > 0.35, said: said(i, j, record) };
    },
  };
  const legends = {
    won: [0, 0.25, 0.5, 0.75, 1].map((value) => [ofShare(value), percent(value, 0)]),
    votes: [...new Set([1, Math.round(most / 4), most])].map((n) => [ofCount(n / most), number(n)]),
  };
  const table = {
    columns: [t("study.column.model"), t("study.column.against"), t("study.column.votes"), ...recordHeads(), t("study.column.share")],
    rows: cells.map(([i, j, ...record]) => [rows[i], rows[j], votes(record), ...record, share(record)]),
  };
  const n = models.length;
  const met = t("study.pairs_met", { n: cells.length, all: (n * (n - 1)) / 2 }) + (nModels > n ? ` ${t("study.first_models", { n, all: nModels })}` : "");
  const holder = element("div");
  const addressedKind = () => (addressed("matrix") === "votes" ? "votes" : "won");
  const show = (kind) => {
    holder.replaceChildren(
      figure({
        title: t(`study.matrix.${kind}`),
        note: `${t(`study.matrix.${kind}.about`)} ${met}`,
        head: choices(kind),
        table,
        file: "matrix",
        drawing: heatMap({ names: rows, cell: kinds[kind], rowTitle: t("study.row"), columnTitle: t("study.against_column"), legend: legends[kind] }),
      }),
    );
  };
  const choices = (current) => {
    const buttons = ["won", "votes"].map((kind) => {
      const button = element("button", { type: "button", class: "act", "aria-pressed": String(kind === current) }, t(`study.matrix.${kind}.short`));
      button.addEventListener("click", () => {
        if (kind !== current) inAddress({ matrix: kind }, { back: true });
        show(kind);
        one(`[aria-pressed=true]`, holder).focus();
      });
      return button;
    });
    return element("div", { class: "row choice", role: "group", "aria-label": t("study.matrix") }, ...buttons);
  };
  show(addressedKind());
  whenBack(() => holder.isConnected && show(addressedKind()));
  return holder;
}

// ---- over time ----

function history({ boards, scores }) {
  if (boards.length < 2) return element("p", {}, t("study.one_board"));
  const rated = board.models.filter(({ id }) => scores[id]);
  const wanted = () => {
    const ids = [...new Set(allAddressed("models"))].filter((id) => scores[id]);
    return (ids.length ? ids : rated.map(({ id }) => id)).slice(0, MOST_LINES);
  };
  let chosen = wanted();
  let colours = coloursOf(chosen);
  const holder = element("div");
  const places = boards.map(([, , n]) => n);
  const value = (each) => (each ? { value: each[0], low: each[1], high: each[2] } : null);
  const said = ({ id, name }, j) =>
    t("study.score_said", { model: name, score: withInterval(value(scores[id][j]), round), n: boards[j][2], when: moment(boards[j][1]) });
  const show = () => {
    colours = coloursOf(chosen, colours);
    const series = chosen.map((id) => ({ id, name: nameOf(id), colour: colours.get(id), values: scores[id].map(value) }));
    const scale = scaleOf(series);
    const note = [t("study.scores_over_votes.about", { confidence: sure() })];
    if (scale.low !== 0) note.push(t("study.scale_cut", { low: scale.low, high: scale.high }));
    if (scale.isCut) note.push(t("study.bands_cut"));
    holder.replaceChildren(
      figure({
        title: t("study.scores_over_votes"),
        note: note.join(" "),
        head: element("div", { class: "row choice" }, ...chosen.map(chip), more()),
        table: {
          columns: [t("study.column.snapshot"), t("study.column.time"), t("study.column.entries"), t("study.column.model"), t("study.column.score"), t("study.column.low"), t("study.column.high")],
          rows: chosen.flatMap((id) => boards.flatMap(([snapshot, at, n], j) => (scores[id][j] ? [[snapshot, at, n, nameOf(id), ...scores[id][j]]] : []))),
        },
        forms: [null, null, null, null, round, round, round],
        file: "history",
        drawing: linesOf({ series, places, scale, said, xAxis: t("study.votes_in_log"), yAxis: t("study.column.score") }),
      }),
    );
  };
  const change = (ids) => {
    chosen = ids;
    inAddress({ models: chosen }, { back: true });
    show();
  };
  whenBack(() => {
    const then = wanted();
    if (!holder.isConnected || (then.length === chosen.length && then.every((id, k) => id === chosen[k]))) return;
    chosen = then;
    show();
  });
  const chip = (id) => {
    const k = colours.get(id);
    const button = element("button", { type: "button", class: `act chip c${k}`, "aria-label": t("study.take_off", { model: nameOf(id) }) }, element("i", { class: `c${k} d${k}`, "aria-hidden": "true" }), nameOf(id), " ×");
    button.disabled = chosen.length === 1;
    button.addEventListener("click", () => {
      change(chosen.filter((each) => each !== id));
      one("button.chip:not(:disabled)", holder)?.focus();
    });
    return button;
  };
  const more = () => {
    if (chosen.length >= MOST_LINES) return element("span", { class: "quiet" }, t("study.most_lines", { n: MOST_LINES }));
    const options = rated.filter(({ id }) => !chosen.includes(id)).map(({ id }) => ({ id, name: nameOf(id) }));
    return combobox({ label: t("study.add_model"), options, empties: true, choose: (id) => change([...chosen, id]) });
  };
  show();
  return holder;
}

function collection({ votes, n_votes: nVotes, shown, expected_share: expected, policies, withdrawals }) {
  const rows = shown.map(([id, n]) => ({
    name: nameOf(id),
    value: n / nVotes,
    mark: expected,
    text: `${percent(n / nVotes)} (${number(n)})`,
    said: t("study.shown_said", { model: nameOf(id), n, share: percent(n / nVotes), expected: percent(expected) }),
  }));
  const drawn = policies.map(([policy, n]) => (policy === null ? t("study.drawn_elsewhere", { n }) : t("study.drawn_by", { n, policy })));
  return [
    votesOverTime(votes, "votes"),
    figure({
      title: t("study.shares"),
      note: `${t("study.shares.about", { n: shown.length, expected: percent(expected) })} ${drawn.join(" ")}`,
      table: {
        columns: [t("study.column.model"), t("study.column.votes"), t("study.column.share_shown"), t("study.column.even")],
        rows: shown.map(([id, n]) => [nameOf(id), n, n / nVotes, expected]),
      },
      forms: [null, number, percent, percent],
      file: "shown",
      isLong: rows.length > MOST_ROWS,
      drawing: rowsOf({ rows, kind: "bar", form: (value) => percent(value, 0), axis: t("study.shares_axis") }),
    }),
    ...withdrawn(withdrawals),
  ];
}

/** What was withdrawn once the names were seen, and whether that hangs on how it went for a model. */
function withdrawn({ n_votes: n, n_cast: all, n_voters: voters, models }) {
  if (!n) return [element("p", {}, t("study.withdrawn.nothing"))];
  const [won, lost] = [0, 1];
  const share = ({ withdrawn: taken, cast }, which) => percent(taken[which] / cast[which]);
  const apart = models.filter((each) => each.apart);
  const told = apart.map((each) => {
    const q = number(each.q_value, { maximumSignificantDigits: 2 });
    const values = { model: nameOf(each.model), wins: share(each, won), losses: share(each, lost), q };
    return element("li", {}, each.apart === "wins" ? t("study.withdrawn.wins", values) : t("study.withdrawn.losses", values));
  });
  const each = (key) => recordHeads().map((what) => t(key, { what }));
  const table = {
    columns: [t("study.column.model"), ...each("study.column.withdrawn_of"), ...each("study.column.cast_of"), "p", "q"],
    rows: models.map((found) => [nameOf(found.model), ...found.withdrawn, ...found.cast, found.p_value, found.q_value]),
  };
  return [
    element("h3", {}, t("study.withdrawn")),
    element("p", {}, t("study.withdrawn.told", { n, all: number(all), voters: number(voters) })),
    told.length ? element("ul", {}, ...told) : element("p", {}, t("study.withdrawn.even")),
    element("p", { class: "quiet" }, t("study.withdrawn.why")),
    numbers(table, [], "withdrawn", t("study.withdrawn")),
  ];
}

// ---- audits ----

const shareTable = (rows) => ({
  columns: [t("study.column.quantity"), t("study.column.share"), t("study.column.low"), t("study.column.high"), t("study.column.votes")],
  rows: rows.map(([name, share]) => [name, share.value, share.low, share.high, share.n_votes]),
});
const shareRows = (rows, form = shareText) => rows.map(([name, share]) => ({ name, ...share, text: form(share), said: t("study.share_said", { what: name, share: shareText(share), n: share.n_votes }) }));

function position({ side_a: sideA, order, sides_drawn: areDrawn }) {
  const rows = [[t("study.side_a"), sideA]];
  const isApart = sideA.low !== null && (sideA.low > 0.5 || sideA.high < 0.5);
  const verdict = sideA.low === null ? english(sideA.reason ?? "") : t(isApart ? "study.position_matters" : "study.position_unseen", { share: withInterval(sideA, percent), confidence: sure() });
  // That no model gains by it is said only where the arena itself drew every side.
  const sides = areDrawn ? (isApart ? t("study.sides_drawn") : null) : t("study.sides_unknown");
  return [
    element("p", { class: "verdict" }, verdict),
    sides === null ? null : element("p", {}, sides),
    figure({
      title: t("study.position.plot"),
      note: order ? t("study.order_said", { value: withInterval({ ...order }, (value) => number(value, { maximumFractionDigits: 3 })) }) : "",
      table: {
        ...shareTable(rows),
        rows: [...shareTable(rows).rows, ...(order ? [[t("study.order"), order.value, order.low, order.high, sideA.n_votes]] : [])],
      },
      file: "position",
      drawing: rowsOf({ rows: shareRows(rows, (share) => withInterval(share, percent)), kind: "dot", domain: around(rows), line: 0.5, form: (value) => percent(value), axis: t("study.share_axis", { confidence: sure() }) }),
    }),
  ];
}

/** From the lowest to the highest end, the half in the middle, and not so near that chance looks large. */
function around(rows) {
  const ends = rows.flatMap(([, { value, low, high }]) => [value, low, high]).filter((end) => end !== null);
  const far = Math.max(0.1, ...ends.map((end) => Math.abs(end - 0.5) * 1.1));
  return [Math.max(0.5 - far, 0), Math.min(0.5 + far, 1)];
}

function offerStyle() {
  const start = element("button", { type: "button", class: "go" }, t("study.style.compute"));
  start.addEventListener("click", () => fillWith(place("style"), "/style", style));
  place("style").replaceChildren(element("p", { class: "row" }, start, element("span", { class: "quiet" }, t("study.style.why"))));
  place("style").removeAttribute("aria-busy");
}

function style({ longer, by_length: byLength, coefficients, notes }) {
  const times = (value) => number(value, { maximumFractionDigits: 1 });
  const rows = [
    [t("study.longer_all"), longer],
    ...byLength.map(([from, to, share]) => [to === null ? t("study.longer_more", { from: times(from) }) : t("study.longer_times", { from: times(from), to: times(to) }), share]),
  ];
  const three = (value) => number(value, { maximumFractionDigits: 3, signDisplay: "negative" });
  const effects = coefficients.map((each) => {
    const name = t(`study.feature.${each.name}`);
    const text = withInterval(each, (value) => number(value, { maximumFractionDigits: 2, signDisplay: "negative" }));
    return { name, value: each.value, low: each.low, high: each.high, text, said: `${name}: ${withInterval(each, three)}` };
  });
  return [
    figure({
      title: t("study.length.plot"),
      note: t("study.length.about"),
      table: shareTable(rows),
      file: "length",
      drawing: rowsOf({ rows: shareRows(rows), kind: "dot", domain: around(rows), line: 0.5, form: (value) => percent(value, 0), axis: t("study.share_axis", { confidence: sure() }) }),
    }),
    effects.length
      ? figure({
          title: t("study.effects.plot"),
          note: [t("study.effects.about"), ...notes.flatMap((each) => [" ", english(each)])],
          table: {
            columns: [t("study.column.quantity"), t("study.column.value"), t("study.column.low"), t("study.column.high")],
            rows: effects.map(({ name, value, low, high }) => [name, value, low, high]),
          },
          file: "style",
          drawing: rowsOf({ rows: effects, kind: "dot", line: 0, axis: t("study.effects_axis", { confidence: sure() }) }),
        })
      : element("p", {}, english(notes.join(" "))),
  ];
}

function agreement({ all, decisive, alpha, n_items: nItems, n_votes: nVotes }) {
  if (!all.n_pairs) {
    return [
      element("p", { class: "verdict" }, t("study.no_overlap")),
      element("p", {}, nVotes ? t("study.no_overlap.why", { n: nVotes, items: nItems }) : t("study.no_overlap.untold")),
    ];
  }
  const rows = [[t("study.agreement.all"), all], [t("study.agreement.decisive"), decisive]];
  const drawn = rows.map(([name, share]) => {
    const text = withInterval(share, (value) => percent(value, 0));
    const because = share.reason === null ? [] : [" ", english(share.reason)];
    return { name, ...share, text, said: [t("study.agreement.said", { what: name, share: withInterval(share, percent), n: share.n_pairs, items: share.n_items }), ...because] };
  });
  const reasons = [...new Set(rows.map(([, { reason }]) => reason))].filter((reason) => reason !== null);
  return [
    element("p", { class: "verdict" }, t("study.agreement.told", { share: withInterval(all, percent), n: all.n_pairs, items: all.n_items })),
    ...(alpha.value === null ? [] : [element("p", {}, t("study.agreement.alpha", { alpha: withInterval(alpha, (value) => number(value, { maximumFractionDigits: 3 })) }))]),
    figure({
      title: t("study.agreement.plot"),
      note: [t("study.agreement.note", { confidence: sure() }), ...reasons.flatMap((each) => [" ", english(each)])],
      table: {
        columns: [t("study.column.quantity"), t("study.column.share"), t("study.column.low"), t("study.column.high"), t("study.column.pairs_of_votes"), t("study.column.pairs_of_answers")],
        rows: rows.map(([name, { value, low, high, n_pairs: n, n_items: items }]) => [name, value, low, high, n, items]),
      },
      file: "agreement",
      drawing: rowsOf({ rows: drawn, kind: "dot", domain: [0, 1], form: (value) => percent(value, 0), axis: t("study.agreement.axis", { confidence: sure() }) }),
    }),
  ];
}

// ---- what it hangs on ----

function influence(found) {
  const first = found.first_place;
  const [a, b] = [nameOf(first.leader), nameOf(first.runner_up)];
  const lead = first.n_votes === null
    ? because("study.hold_unknown", first.reason, { a, b })
    : [t(first.confirmed ? "study.hold_confirmed" : "study.hold_estimated", { a, b, n: first.n_votes, share: percent(first.share, 2) })];
  const voters = found.n_voters === null ? english(found.voters_reason) : t("study.hold_voters", { n: found.n_voters, votes: found.n_votes_of_voters });
  const rows = found.neighbours.map((each, k) => {
    const name = t("study.over", { a: nameOf(each.leader), b: nameOf(each.runner_up) });
    const text = each.n_votes === null ? "–" : `${number(each.n_votes)} (${percent(each.share, 2)})`;
    return { name: `${number(k + 1)}  ${nameOf(each.leader)}`, value: each.n_votes, text, said: [`${name}: `, each.n_votes === null ? english(each.reason) : t("study.votes", { n: each.n_votes })], each };
  });
  return [
    element("p", { class: "verdict" }, ...lead),
    element("p", {}, voters),
    figure({
      title: t("study.neighbours"),
      note: t("study.neighbours.about"),
      table: {
        columns: [t("study.column.model"), t("study.column.above"), t("study.column.votes"), t("study.column.share")],
        rows: rows.map(({ each }) => [nameOf(each.leader), nameOf(each.runner_up), each.n_votes, each.share]),
      },
      file: "influence",
      isLong: rows.length > MOST_ROWS,
      drawing: rowsOf({ rows, kind: "bar", form: round, axis: t("study.neighbours_axis") }),
    }),
    found.moving_most.length ? movers(found.moving_most) : null,
  ];
}

function movers(moving) {
  const rows = moving.map(([gap, largest, model], k) => {
    const name = t("study.voter_number", { n: k + 1 });
    return { name, value: Math.abs(largest), text: `${points(largest)} · ${nameOf(model)}`, said: t("study.mover_said", { voter: name, model: nameOf(model), by: points(largest), gap: points(gap) }) };
  });
  return figure({
    title: t("study.movers"),
    note: t("study.movers.about"),
    table: {
      columns: [t("study.column.voter"), t("study.column.model"), t("study.column.moved"), t("study.column.gap")],
      rows: moving.map(([gap, largest, model], k) => [t("study.voter_number", { n: k + 1 }), nameOf(model), largest, gap]),
    },
    file: "voters",
    drawing: rowsOf({ rows, kind: "bar", form: round, axis: t("study.movers_axis") }),
  });
}

function goodness({ scale, cycles, n_contradictions: n, contradictions }) {
  const p = scale.p_value === undefined ? null : number(scale.p_value, { maximumSignificantDigits: 2 });
  const fits = p === null ? because("study.scale_unknown", scale.reason) : [t(scale.p_value < 0.05 ? "study.scale_strained" : "study.scale_fits", { p })];
  const circles = cycles.share === undefined ? because("study.scale_unknown", cycles.reason) : [t("study.circles", { share: percent(cycles.share, 0), n: cycles.sure.length })];
  const text = [element("p", { class: "verdict" }, ...fits), element("p", {}, ...circles)];
  if (!contradictions.length) return [...text, element("p", {}, t("study.no_contradictions"))];
  const rows = contradictions.map((each) => ({
    name: t("study.pair", { a: nameOf(each.model), b: nameOf(each.other) }),
    value: each.observed,
    mark: each.expected,
    text: t("study.seen_expected", { seen: percent(each.observed, 0), expected: percent(each.expected, 0) }),
    said: t("study.contradiction_said", { a: nameOf(each.model), b: nameOf(each.other), n: each.n_votes, seen: percent(each.observed, 0), expected: percent(each.expected, 0) }),
  }));
  return [
    ...text,
    figure({
      title: t("study.contradictions", { n }),
      note: t("study.contradictions.about"),
      table: {
        columns: [t("study.column.model"), t("study.column.against"), t("study.column.votes"), t("study.column.share"), t("study.column.expected"), "q"],
        rows: contradictions.map((each) => [nameOf(each.model), nameOf(each.other), each.n_votes, each.observed, each.expected, each.q_value]),
      },
      file: "contradictions",
      drawing: rowsOf({ rows, kind: "dot", domain: [0, 1], line: 0.5, form: (value) => percent(value, 0), axis: t("study.share_won_axis") }),
    }),
  ];
}

// ---- the page ----

async function start() {
  const answer = await ask("");
  if (answer.status !== 200) return sayInstead(answer, start);
  board = answer.data;
  names = named(board.models);
  showFindings();
  one("#as-of").replaceChildren(
    t("study.as_of", { n: board.n_votes, when: moment(board.computed_at), snapshot: board.snapshot.slice(0, 6) }),
    ...(board.plain_scores ? [] : [" ", t("study.not_plain")]),
    ...(board.plain_intervals ? [] : [" ", ...because("study.other_intervals", board.intervals)]),
  );
  startDuel(place("duel"), board, nameOf);
  offerStyle();
  const makers = { matrix, history, collection, position, agreement, influence, goodness };
  for (const [name, make] of Object.entries(makers)) {
    whenNear(one(`#${name}`), () => fillWith(place(name), `/${name}`, make));
  }
  // The section that a link names was not there yet when the browser looked for it.
  if (window.location.hash) document.getElementById(window.location.hash.slice(1))?.scrollIntoView();
}

bakeoff.present("#study").then((root) => {
  bakeoff.fill(root);
  start();
});
