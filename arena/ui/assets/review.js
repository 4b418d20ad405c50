// The host's review: fills <section id="host-review"> with whom the checks flag, what leaving them out would change, and the
// two acts, each with a reason and a name. Nobody is left out by a click alone.
"use strict";
import { element } from "./plot.js";

const { t, get, post, present, refused, number, knows } = bakeoff;
const MOST_MODELS = 3;
const POINTS = { maximumFractionDigits: 1, signDisplay: "exceptZero" };

const place = await present("#host-review");
const { name } = (await get("api/host/me")).data;
const said = element("p", { role: "status", class: "quiet" }, t("review.loading"));
const list = element("div", { class: "found" });
place.append(
  element("p", { class: "quiet" }, t("review.about")),
  said,
  list,
);
await load();

async function load() {
  const { status, data } = await get("api/host/review");
  if (status === 200) show(data);
  else say(data.error ? refused(data) : t("review.trouble"), "trouble");
}

function say(text, kind = "quiet") {
  said.className = kind;
  said.textContent = text;
}

function show(found) {
  say(reach(found.reach));
  const suspects = found.suspects.map(suspect);
  const failed = found.failed.map((check) =>
    element("p", { class: "trouble" }, t("review.failed", { check: nameOf(check) })),
  );
  const together = found.suspects.length > 1 && found.together ? [allOf(found.together)] : [];
  const none = suspects.length ? [] : [element("p", {}, t("review.none"))];
  list.replaceChildren(...failed, ...none, ...together, ...suspects, leftOut(found.left_out));
}

function reach(counts) {
  if (!counts) return "";
  const { votes, with_voter: known, timed, drawn } = counts;
  const unknown = votes - known;
  return t(unknown ? "review.reach" : "review.reach_all", { votes, unknown, timed, drawn });
}

function nameOf(check) {
  return knows(`review.check.${check}`) ? t(`review.check.${check}`) : check;
}

function suspect({ voter, flags, effect }) {
  const told = flags.map((flag) =>
    element("li", {}, element("strong", {}, `${nameOf(flag.check)}: `), sentence(flag), " ", chance(flag)),
  );
  return element(
    "article",
    { "data-voter": voter },
    element("h3", {}, t("review.voter", { voter })),
    element("ul", {}, ...told),
    effect ? element("p", {}, effectText(effect)) : null,
    decision(voter, "exclude"),
  );
}

function sentence({ check, facts }) {
  const values = { ...facts };
  if ("share" in values) values.share = number(values.share, { style: "percent", maximumFractionDigits: 1 });
  if (check !== "against_others") return t(`review.flag.${check}`, values);
  values.due = number(values.due, { maximumFractionDigits: 1 });
  return t(values.favours ? "review.flag.for" : "review.flag.against", values);
}

function chance({ q_value: q }) {
  return element("span", { class: "quiet" }, t("review.chance", { q: q < 1e-4 ? "< 0.0001" : number(q, { maximumSignificantDigits: 2 }) }));
}

function effectText(effect) {
  if (effect.reason) return t("review.effect.no_board", { why: effect.reason });
  const moved = effect.moves.filter(({ points }) => points);
  const shown = moved.slice(0, MOST_MODELS).map(({ model, points }) => `${model} ${number(-points, POINTS).replace("-", "−")}`);
  const more = moved.length > MOST_MODELS ? [t("review.effect.more", { n: moved.length - MOST_MODELS })] : [];
  const moves = [...shown, ...more].join(", ") || t("review.effect.none");
  const first = effect.changes_first
    ? t("review.effect.first_moves", { model: effect.first_without })
    : t("review.effect.first_stays");
  return t("review.without", { n: effect.n_votes, moves, first, ranges: effect.n_ranges });
}

function allOf(effect) {
  return element(
    "article",
    {},
    element("h3", {}, t("review.together", { n: effect.voters.length })),
    element("p", {}, effectText(effect)),
  );
}

function leftOut(acts) {
  const rows = acts.map(({ voter_id: voter, n_votes: n, reason, decided_by: by, decided_at: at }) =>
    element(
      "article",
      { "data-voter": voter },
      element("h3", {}, t("review.voter", { voter })),
      element("p", {}, t("review.left_out.line", { n, reason, by, time: new Date(at).toLocaleString(bakeoff.language, { dateStyle: "medium", timeStyle: "short" }) })),
      decision(voter, "readmit"),
    ),
  );
  const none = rows.length ? [] : [element("p", { class: "quiet" }, t("review.nobody_out"))];
  return element("section", {}, element("h3", {}, t("review.left_out")), ...none, ...rows);
}

/** The form of an act: it is sent with a reason and a name, and says here what the server says against it. */
function decision(voter, act) {
  const reason = element("input", { name: "reason", required: true, maxlength: 500 });
  const by = element("input", { name: "by", required: true, maxlength: 100, autocomplete: "name" });
  by.value = name ?? "";
  by.readOnly = Boolean(name); // the server takes no other
  const button = element("button", { class: "act", type: "submit" }, t(act === "exclude" ? "review.exclude" : "review.readmit"));
  const answer = element("p", { class: "trouble", role: "alert" });
  const form = element(
    "form",
    { class: "row" },
    element("label", {}, t("review.reason"), " ", reason),
    element("label", {}, t("review.by"), " ", by),
    button,
    answer,
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    const { status, data } = await post(`api/host/review/${act}`, { voter, reason: reason.value, by: by.value });
    button.disabled = false;
    if (status === 200) await load();
    else answer.textContent = data.error ? refused(data) : t("review.trouble");
  });
  return form;
}
