// Sample ballots: what was asked, the two answers with their authors, and the votes on them.
//
// They come when a button is pressed and not before: what is shown is noted by the server, and does not come to this
// voter as a ballot any more. For the same reason no address opens them.
"use strict";
import { element } from "./plot.js";
import { moment, why } from "./study.js";

const { t } = bakeoff;

/** A button with what it costs, and the ballots below it. `path` and `body` say of what; `heading` is the title's tag. */
export function samplesOf(path, body, heading = null) {
  const list = element("div", { class: "samples" });
  const said = element("p", { class: "quiet", role: "status" });
  const button = element("button", { type: "button", class: "act" }, t("samples.show"));
  const ask = () => bakeoff.post(`./api/samples/${path}`, { ...body, page });
  let page = 0;
  let snapshot = null; // which votes the pages are of
  button.addEventListener("click", async () => {
    button.disabled = true;
    let answer = await ask();
    if (page && answer.status === 200 && answer.data.snapshot !== snapshot) {
      page = 0; // a newer board has other pages: these would repeat ballots, and leave some out
      answer = await ask();
    }
    button.disabled = false;
    if (answer.status !== 200) {
      said.className = "trouble";
      said.textContent = why(answer);
      return;
    }
    said.className = "quiet";
    said.textContent = summary(answer.data);
    const made = answer.data.pairs.map(ballot);
    if (page === 0) list.replaceChildren();
    list.append(...made);
    snapshot = answer.data.snapshot;
    page += 1;
    button.textContent = t("samples.more");
    button.hidden = page >= answer.data.n_pages;
    (made[0] ?? said).focus();
  });
  said.tabIndex = -1;
  return element(
    "div",
    { class: "sampling" },
    heading && element(heading, {}, t("study.samples")),
    element("p", { class: "quiet" }, t("samples.warning")),
    list,
    said,
    element("p", { class: "row" }, button),
  );
}

/** What is there, and why there is no more. */
function summary({ n_pairs: nPairs, n_votes: nVotes, n_held_back: nHeldBack, n_without_texts: nBare }) {
  if (!nVotes) return t("samples.no_votes");
  const words = [nPairs ? t("samples.counted", { n: nPairs, all: nVotes }) : t("samples.none", { n: nVotes })];
  if (nBare) words.push(t("samples.without_texts", { n: nBare }));
  if (nHeldBack) words.push(t("samples.held_back", { n: nHeldBack }));
  return words.join(" ");
}

function ballot({ category, messages, a, b, record, votes }) {
  const name = (side) => element("bdi", {}, side.name);
  const nMore = record.reduce((sum, n) => sum + n, 0) - votes.length;
  return element(
    "article",
    { class: "sample", tabindex: -1 },
    category && element("p", { class: "quiet" }, category),
    ...messages.map((message) => turn(message, messages.length > 1)),
    ...[a, b].map((side) => element("details", {}, element("summary", {}, `${t("samples.answer")} `, name(side)), text(side.html || `<p>${t("samples.empty")}</p>`))),
    element(
      "ul",
      { class: "said" },
      ...votes.map((vote) => element("li", {}, verdict(vote, a, b), " ", element("span", { class: "quiet" }, told(vote)))),
      nMore ? element("li", { class: "quiet" }, t("samples.earlier", { n: nMore })) : null,
    ),
  );
}

function turn({ role, html }, isNamed) {
  const asked = text(html);
  asked.classList.add("asked");
  asked.tabIndex = 0;
  return isNamed ? element("div", {}, element("b", { class: "quiet" }, t(`role.${role}`)), asked) : asked;
}

/** Rendered by the server, where whatever could act was taken out. */
function text(html) {
  const made = element("div", { class: "text" });
  made.innerHTML = html;
  return made;
}

function verdict({ verdict: said }, a, b) {
  if (said === "A" || said === "B") return t("samples.better", { model: said === "A" ? a.name : b.name });
  return t(`verdict.${said}`);
}

function told({ source, day }) {
  const words = [t(`board.source.${source}`)];
  if (day) words.unshift(moment(day, { dateStyle: "medium" }));
  return words.join(" · ");
}
