// What a board was made of, in plain words: a few lines below the table, and all of it behind "How this was computed".
"use strict";
import { element } from "./board_table.js";

const { t, number, knows, language } = bakeoff;

// The reasons that the server gives, in English, as `bakeoff rate` prints them; what is not known here stays as it is.
const REASONS = [
  [/^both bad$/, "reason.both_bad"],
  [/^the same model on both sides$/, "reason.same_model"],
  [/^a model that cannot be rated yet$/, "reason.unrated"],
  [/^a model with fewer than ([\d,]+) votes$/, "reason.few"],
  [/^withdrawn by its voter$/, "reason.withdrawn"],
  [/^excluded by the host$/, "reason.excluded"],
  [/^not cast blind$/, "reason.not_blind"],
  [/^(?:source|category|language) (.+) is not asked for$/, "reason.other_value"],
  [/^no (?:source|category|language|time) is known$/, "reason.unknown_value"],
  [/^cast (?:before|from) /, "reason.time"],
  [/^has not lost a vote yet/, "reason.never_lost"],
  [/^has not won a vote yet/, "reason.never_won"],
  [/^has met none of the rated models/, "reason.never_met"],
  [/^no chain of wins/, "reason.no_chain"],
  [/^all votes come from one voter/, "reason.one_voter"],
  [/^the link to the others rests on a single voter/, "reason.fragile"],
];

/** A reason of the server in the reader's language; nothing for none. */
export function reasonText(reason) {
  if (!reason || language === "en") return reason ?? "";
  for (const [pattern, key] of REASONS) {
    const found = pattern.exec(reason);
    if (found) return t(key, { value: found[1] ?? "" });
  }
  return reason;
}

/** An element with a text; `words` in it that are the server's own, in no language but English, are marked as such. */
export function marked(tag, text, words) {
  const made = element(tag);
  const at = language !== "en" && words && reasonText(words) === words ? text.indexOf(words) : -1;
  if (at < 0) {
    made.textContent = text;
    return made;
  }
  const span = element("span", "", words);
  span.lang = "en";
  made.append(text.slice(0, at), span, text.slice(at + words.length));
  return made;
}

/** The lines below the table. */
export function drawFacts(place, { leaderboard: board, snapshot, arena }, { shown }) {
  const lines = [];
  if (shown < board.ratings.length) lines.push(t("board.shown", { shown, all: board.ratings.length }));
  lines.push(t("board.ranks_note"));
  lines.push(`${t("board.counted", { n: board.n_votes })}, ${leftOut(board)}.`);
  if (board.ratings.some((row) => row.low === null && typeof row.low_independent === "number")) lines.push(t("board.alone_note"));
  if (arena.failure) lines.push(t("board.failed_update", { why: arena.failure }));
  lines.push(`${moment(snapshot.computed_at)}. ${recomputed(arena)}`);
  place.replaceChildren(...lines.map((line) => marked("p", line, arena.failure)));
}

/** When the board is counted again. */
export function recomputed({ every_seconds, after_votes }) {
  return t("board.recomputed", { n: Number(after_votes), time: duration(Number(every_seconds)) });
}

/** The whole story, as a list of terms and what they are here. */
export function drawMethod(place, data, chosen) {
  const { leaderboard: board, log, snapshot } = data;
  const list = element("dl");
  const tell = (key, ...content) => {
    const shown = content.filter((each) => each && (typeof each !== "string" || each.trim()));
    if (!shown.length) return;
    const answer = element("dd");
    answer.append(...shown);
    list.append(element("dt", "", t(key)), answer);
  };
  tell("method.counted", t("board.counted", { n: board.n_votes }));
  tell("method.left_out", dropped(board));
  tell("method.voters", log.sources.map((source) => t(`board.source.${source}`)).join(", "));
  tell("method.chosen", chosen.join(" · "));
  tell("method.ties", ties(board.settings));
  tell("method.method", scores(board));
  tell("method.intervals", intervals(board));
  tell("method.style", coefficients(board));
  tell("method.notes", bullets(board.notes.map((note) => [note, note])));
  tell("method.settings", code(JSON.stringify(board.settings)));
  tell("method.seed", String(board.seed));
  tell("method.snapshot", code(snapshot.id), ` ${moment(snapshot.computed_at)}`);
  tell("method.log", `${t("method.position", { n: log.n_log })} `, log.log_hash && code(log.log_hash));
  tell("method.version", snapshot.app_version);
  tell("method.reproduce", element("p", "", t("method.reproduce_hint")), command(data.command), api());
  place.replaceChildren(list);
}

/** What each column means. */
export function drawColumns(list, columns) {
  list.replaceChildren(
    ...columns.flatMap(([key, heading]) => [element("dt", "", heading), element("dd", "", t(`board.help.${key}`))]),
  );
}

/** A time as the reader writes it, in UTC. */
export function moment(time) {
  return `${new Date(time).toLocaleString(language, { dateStyle: "medium", timeStyle: "short", timeZone: "UTC" })} UTC`;
}

function leftOut(board) {
  const reasons = Object.entries(board.dropped).filter(([, n]) => n > 0);
  if (!reasons.length) return t("board.none_out");
  const total = reasons.reduce((sum, [, n]) => sum + n, 0);
  const told = reasons.length > 4 ? [...reasons].sort((a, b) => b[1] - a[1]).slice(0, 3) : reasons;
  const words = told.map(([reason, n]) => `${reasonText(reason)}: ${number(n)}`).join(", ");
  return t("board.out", { n: total, reasons: told.length < reasons.length ? `${words}, …` : words });
}

function dropped(board) {
  const reasons = Object.entries(board.dropped).filter(([, n]) => n > 0);
  if (!reasons.length) return t("method.nothing");
  return bullets(reasons.map(([reason, n]) => [`${reasonText(reason)}: ${number(n)}`, reason]));
}

/** Lines as a list: each a text and the words of the server in it, if any. */
function bullets(lines) {
  if (!lines.length) return "";
  const list = element("ul");
  for (const line of lines) list.append(marked("li", ...line));
  return list;
}

function ties({ ties = "half", both_bad = "tie" }) {
  if (both_bad === "own") return t("method.ties.own");
  return t(`method.ties.${ties === "half" ? "half" : "own"}_${both_bad === "drop" ? "drop" : "tie"}`);
}

function scores({ method }) {
  const isFit = !["elo", "win-rate"].includes(method);
  return t(isFit ? "method.scores" : "method.scores_other", { method: nameOf(method) });
}

function nameOf(method) {
  return method.split("-").map((word) => word[0].toUpperCase() + word.slice(1)).join("-");
}

function intervals(board) {
  const confidence = number(board.confidence, { style: "percent", maximumFractionDigits: 1 });
  const voters = /^sandwich, clustered by voter \((\d+)\)/.exec(board.intervals);
  const told = voters
    ? t("method.intervals.voters", { confidence, n: Number(voters[1]) })
    : t("method.intervals.plain", { confidence, words: board.intervals + (/bootstrap/.test(board.intervals) ? ` (${number(board.rounds)})` : "") });
  const effects = board.ratings.map((row) => row.design_effect).filter((effect) => typeof effect === "number").sort((a, b) => a - b);
  if (!effects.length) return told;
  const middle = (effects[Math.floor((effects.length - 1) / 2)] + effects[Math.ceil((effects.length - 1) / 2)]) / 2;
  return `${told} ${t("method.effect", { effect: number(middle, { maximumFractionDigits: 2 }) })}`;
}

/** What else the votes depend on, with its interval, in logits: length, lists, side A, ties. */
function coefficients({ coefficients }) {
  const two = (value) => number(value, { minimumFractionDigits: 2, maximumFractionDigits: 2, signDisplay: "always" });
  return bullets(
    coefficients.map(({ name, value, low, high, reason }) => {
      const range = low === null ? reasonText(reason) : t("board.range", { low: two(low), high: two(high) });
      return [`${knows(`feature.${name}`) ? t(`feature.${name}`) : name}: ${two(value)} (${range})`, reason];
    }),
  );
}

function command(text) {
  const block = element("div", "command");
  const shown = element("pre");
  shown.tabIndex = 0;
  shown.append(element("code", "", text));
  const button = element("button", "", t("board.copy"));
  button.type = "button";
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = t("board.copied");
    } catch {
      getSelection().selectAllChildren(shown); // no clipboard without a secure connection: copying is one key away
    }
  });
  block.append(shown, button);
  return block;
}

function api() {
  const line = element("p", "", `${t("method.api")} `);
  line.append(Object.assign(element("a", "", "/api"), { href: "./api" }), ".");
  return line;
}

function code(text) {
  return element("code", "", text);
}

function duration(seconds) {
  const unit = (value, name) => number(value, { style: "unit", unit: name, unitDisplay: "long", maximumSignificantDigits: 3 });
  if (seconds < 120) return unit(seconds, "second");
  return seconds < 7200 ? unit(seconds / 60, "minute") : unit(seconds / 3600, "hour");
}
