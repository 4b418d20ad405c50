// The host's adjudication: fills <section id="host-disagreement"> with the pairs on which voters disagree, blind still, a form
// for a verdict on each, where disagreement clusters, and what was decided. Nothing is decided without a reason and a name.
"use strict";
import { element, percent, shape } from "./plot.js";

const { t, get, post, present, refused, number } = bakeoff;
const VERDICTS = ["A", "tie", "both_bad", "B"];

const place = await present("#host-disagreement");
const { name } = (await get("api/host/me")).data;
const said = element("p", { role: "status", class: "quiet", tabindex: -1 }, t("review.loading"));
const list = element("div", {});
place.append(element("p", { class: "quiet" }, t("disagreement.about")), said, list);
await load();

async function load() {
  const { status, data } = await get("api/host/disagreement");
  if (status === 200) return show(data);
  said.className = "trouble";
  said.textContent = data.error ? refused(data) : t("disagreement.trouble");
}

function show(found) {
  const { n_pairs: n, n_conflicts: conflicts, n_open: open, cases, decided } = found;
  said.textContent = n ? t("disagreement.counts", { n, conflicts, open }) : t("disagreement.none");
  list.replaceChildren(...cases.map(caseOf), ...(n ? [picture(found)] : []), ...(decided.length ? [decisions(decided)] : []));
}

function caseOf({ id, category, language, messages, answer_a: a, answer_b: b, votes }) {
  const kind = [category, language].filter(Boolean).join(" · ");
  return element(
    "article",
    { "data-case": id },
    kind ? element("p", { class: "quiet" }, kind) : null,
    ...messages.map(({ role, html }) => part(messages.length > 1 ? t(`role.${role}`) : t("disagreement.asked"), html, "asked")),
    element("div", { class: "two" }, part("A", a), part("B", b)),
    element("p", {}, t("disagreement.votes", { votes: spread(votes) })),
    form("adjudicate", { case: id }, "disagreement.decide", verdicts(id)),
  );
}

/** Rendered by the server, where whatever could act was taken out. */
function part(title, html, kind = "") {
  const text = element("div", { class: `text ${kind}`, tabindex: 0, role: "group", "aria-label": title });
  text.innerHTML = html;
  return element("div", {}, element("h4", {}, title), text);
}

function spread(votes) {
  return VERDICTS.map((each) => `${t(`verdict.${each}`)} ${number(votes[each])}`).join(" · ");
}

function verdicts(id) {
  const choices = VERDICTS.map((each) => {
    const input = element("input", { type: "radio", name: "verdict", value: each, required: true, id: `${id}-${each}` });
    return element("label", { class: "choice" }, input, " ", t(`verdict.${each}`));
  });
  return element("fieldset", {}, element("legend", {}, t("disagreement.verdict")), ...choices);
}

/** Where disagreement clusters: a share with its interval a row, beside that of all pairs. */
function picture({ n_pairs: n, n_conflicts: k, share: all, clusters }) {
  const traits = [...new Set(clusters.map(({ trait }) => trait))];
  const bodies = traits.map((trait) => {
    const held = clusters.filter((each) => each.trait === trait);
    const head = element("th", { scope: "rowgroup", colspan: 4 }, t(`disagreement.trait.${trait}`));
    const rows = held.map((each) => row(valueOf(each), each.n_conflicts, each.n_pairs, each.share, all));
    return element("tbody", {}, element("tr", { class: "group" }, head), ...rows);
  });
  const heads = [["value", 1], ["share", 2], ["conflicts", 1]].map(([each, colspan]) =>
    element("th", { scope: "col", colspan }, t(`disagreement.column.${each}`)),
  );
  const whole = element("tbody", {}, row(t("disagreement.all"), k, n, all, all));
  const made = element("table", { class: "where" }, element("thead", {}, element("tr", {}, ...heads)), whole, ...bodies);
  return element(
    "section",
    {},
    element("h3", {}, t("disagreement.where")),
    element("p", { class: "quiet" }, t("disagreement.read")),
    element("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": t("disagreement.where") }, made),
  );
}

function row(name, k, n, share, all) {
  return element(
    "tr",
    {},
    element("th", { scope: "row" }, name),
    element("td", { class: "plot" }, strip(share, all)),
    element("td", { class: "n" }, percent(share.value, 0), " ", element("small", {}, interval(share))),
    element("td", { class: "n" }, t("disagreement.of", { k, n })),
  );
}

function interval({ low, high }) {
  return t("disagreement.interval", { low: percent(low, 0), high: percent(high, 0) });
}

/** From none to all: the interval, the share, and a line at the share of all pairs, which goes through all rows. */
function strip({ value, low, high }, all) {
  const at = (share) => `${100 * share}%`;
  return shape(
    "svg",
    { height: 42, width: "100%", "aria-hidden": "true" },
    ...[0, 1].map((end) => shape("line", { class: "grid", x1: at(end), x2: at(end), y1: 0, y2: 42 })),
    shape("line", { class: "level", x1: at(all.value), x2: at(all.value), y1: 0, y2: 42 }),
    shape("line", { class: "interval", x1: at(low), x2: at(high), y1: 21, y2: 21 }),
    shape("circle", { class: "dot", cx: at(value), cy: 21, r: 5 }),
  );
}

function valueOf({ trait, value, low, high }) {
  if (value === null) return t("disagreement.unknown");
  if (trait !== "length_gap") return value;
  return t(`disagreement.gap.${value}`, { low: percent(low, 0), high: percent(high, 0) });
}

function decisions(decided) {
  const rows = decided.map(({ seq, asked, reason, by, at }) =>
    element(
      "article",
      { "data-seq": seq },
      element("p", {}, asked),
      element("p", {}, t("disagreement.line", { reason, by, time: new Date(at).toLocaleString(bakeoff.language, { dateStyle: "medium", timeStyle: "short" }) })),
      form("take-back", { seq }, "disagreement.take_back"),
    ),
  );
  return element("section", {}, element("h3", {}, t("disagreement.decided")), ...rows);
}

/** The form of an act: it is sent with a reason and a name, and says here what the server says against it. */
function form(act, about, label, more = null) {
  const reason = element("input", { name: "reason", required: true, maxlength: 500 });
  const by = element("input", { name: "by", required: true, maxlength: 100, autocomplete: "name" });
  by.value = name ?? "";
  by.readOnly = Boolean(name); // the server takes no other
  const button = element("button", { class: "act", type: "submit" }, t(label));
  const answer = element("p", { class: "trouble", role: "alert" });
  const made = element(
    "form",
    { class: "row" },
    more,
    element("label", {}, t("review.reason"), " ", reason),
    element("label", {}, t("review.by"), " ", by),
    button,
    answer,
  );
  made.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    const chosen = new FormData(made).get("verdict");
    const body = { ...about, reason: reason.value, by: by.value, ...(chosen ? { verdict: chosen } : {}) };
    const { status, data } = await post(`api/host/disagreement/${act}`, body);
    button.disabled = false;
    if (status !== 200) {
      answer.textContent = data.error ? refused(data) : t("disagreement.trouble");
      return;
    }
    await load();
    said.focus(); // the form is gone
  });
  return made;
}
