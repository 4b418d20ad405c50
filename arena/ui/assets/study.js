// What the Analysis page and the page of a model share: asking, waiting, and what stands there while nothing does.
"use strict";
import { element, figure, percent, withInterval } from "./plot.js";
import { columnsOf } from "./lines.js";

const { t, number } = bakeoff;
const ASK_AGAIN_MS = 1500;
// A question that was put to the server takes long in seldom cases; then it is asked for again, this often.
const MOST_ASKED = 40;

/** The answer to a question of the analysis, asked again while the server is still at it; `slow` is called when it is. */
export async function ask(path, slow = () => {}) {
  return askAgain(`./api/analysis${path}`, slow);
}

/** The answer at an address, in the same way. */
export async function askAgain(address, slow = () => {}) {
  for (let asked = 0; asked < MOST_ASKED; asked += 1) {
    const answer = await bakeoff.get(address);
    if (answer.status !== 202) return answer;
    slow();
    await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS));
  }
  return { status: 0, data: {} };
}

/** Why there is no answer, in words. */
export function why({ status, data }) {
  return status === 0 ? t("study.unreachable") : bakeoff.refused(data);
}

/**
 * Ask, and put what `make` makes of the answer in the place; or the reason why there is none, and a way to try again. The
 * place is for what it was last asked to hold: an answer that comes after the next question is dropped.
 */
export async function fillWith(place, path, make) {
  const mine = (place.asked = {});
  place.setAttribute("aria-busy", "true");
  const answer = await ask(path, () => {
    if (place.asked === mine) place.replaceChildren(element("p", { class: "quiet", role: "status" }, t("study.slow")));
  });
  if (place.asked !== mine) return;
  place.removeAttribute("aria-busy");
  if (answer.status === 200) return place.replaceChildren(...[make(answer.data)].flat().filter((each) => each !== null));
  const said = element("p", { class: "trouble", role: "status" }, why(answer));
  const isLasting = answer.status >= 400 && answer.status < 500;
  if (isLasting) return place.replaceChildren(said);
  const again = element("button", { type: "button", class: "act" }, t("arena.retry"));
  again.addEventListener("click", () => fillWith(place, path, make));
  place.replaceChildren(said, again);
}

/** Call once the element comes near the window. */
export function whenNear(target, call) {
  const observer = new IntersectionObserver(
    (entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      observer.disconnect();
      call();
    },
    { rootMargin: "500px" },
  );
  observer.observe(target);
}

/** Say on the whole page that there is nothing to show, and what to do. */
export function sayInstead(answer, retry) {
  const state = bakeoff.one("#state");
  const isEarly = ["no_study", "no_quality"].includes(answer.data.error);
  const isUnknown = answer.data.error === "unknown_model";
  bakeoff.one("h2", state).textContent = t(isEarly ? "study.too_early" : isUnknown ? "study.unknown" : "study.failed");
  bakeoff.one("p", state).textContent = why(answer);
  bakeoff.one("#again").hidden = isUnknown;
  bakeoff.one("#again").onclick = retry;
  bakeoff.one("#findings").hidden = true;
  state.hidden = false;
}

/** The page as it is when there is something to show. */
export function showFindings() {
  bakeoff.one("#state").hidden = true;
  bakeoff.one("#findings").hidden = false;
}

/** The snapshot in the page's header and the time in the page's language. */
export function moment(iso, options = { dateStyle: "medium", timeStyle: "short" }) {
  return new Date(iso).toLocaleString(bakeoff.language, { ...options, timeZone: "UTC" });
}

/** A record in words: won, lost, tied, both bad. */
export function recordSaid([wins, losses, ties, bothBad]) {
  const parts = [t("study.won", { n: wins }), t("study.lost", { n: losses }), t("study.tied", { n: ties })];
  if (bothBad) parts.push(t("study.both_bad", { n: bothBad }));
  return parts.join(" · ");
}

/** The heads of the four numbers of a record. */
export function recordHeads() {
  return [t("study.column.won"), t("study.column.lost"), t("study.column.tied"), t("study.column.both_bad")];
}

/** A share with its interval as it is written beside a dot. */
export function shareText(share) {
  return share.value === null ? t("study.none") : withInterval(share, (value) => percent(value, 0));
}

/** Votes by day, week or month. */
export function votesOverTime({ unit, bars, n_unknown: nUnknown }, file) {
  const unknown = nUnknown ? t("study.no_time", { n: nUnknown }) : "";
  if (!bars.length) return element("p", { class: "quiet" }, unknown || t("study.none"));
  const options = unit === "month" ? { year: "numeric", month: "short" } : { month: "short", day: "numeric" };
  const begin = t(`study.unit.${unit}`);
  const rows = bars.map(([day, n]) => {
    const name = moment(day, options);
    return { name, value: n, said: t("study.votes_in", { n, when: `${begin} ${moment(day, { dateStyle: "medium" })}` }) };
  });
  return figure({
    title: t(`study.votes_by.${unit}`),
    note: unknown,
    table: { columns: [begin, t("study.column.votes")], rows: bars },
    file,
    drawing: columnsOf({ bars: rows, xAxis: begin, yAxis: t("study.column.votes") }),
  });
}

/** A definition list of facts: [[term, what]]. */
export function facts(pairs) {
  return element("dl", { class: "facts-grid" }, ...pairs.filter(([, what]) => what !== null).map(([term, what]) => element("div", {}, element("dt", {}, term), element("dd", {}, what))));
}

/** Words of the engine, which speaks English on every page. */
export function english(words) {
  return element("span", { lang: "en" }, words);
}

/** A text of the page whose `why` is in the words of the engine. */
export function because(key, words, values = {}) {
  const [before, after] = t(key, { ...values, why: "\u0000" }).split("\u0000");
  return [before, english(words), after];
}

/** The address of a model's page. */
export function modelPage(id) {
  return `./model?${new URLSearchParams({ id })}`;
}

/** The address of two models head to head. */
export function duelPage(a, b) {
  return `./analysis?${new URLSearchParams({ a, b })}`;
}

/** All that the page's address says of a name that may stand there more than once. */
export function allAddressed(name) {
  return new URL(window.location.href).searchParams.getAll(name);
}

/** What the page's address says of a name, or null. */
export function addressed(name) {
  return new URL(window.location.href).searchParams.get(name);
}

/**
 * Put values into the page's address, so that it shows the same again; with `back` the view before is a step back. Of a
 * list each value stands by itself: a model's id may hold whatever could stand between them.
 */
export function inAddress(values, { back = false } = {}) {
  const address = new URL(window.location.href);
  for (const [name, value] of Object.entries(values)) {
    address.searchParams.delete(name);
    for (const each of [value].flat()) address.searchParams.append(name, each);
  }
  if (address.href === window.location.href) return;
  window.history[back ? "pushState" : "replaceState"](window.history.state, "", address);
}

/** Call when the reader has gone a step back or forward on this page. */
export function whenBack(call) {
  window.addEventListener("popstate", call);
}

/** Points with a sign. */
export function points(value) {
  return number(value, { maximumFractionDigits: 0, signDisplay: "exceptZero" });
}
