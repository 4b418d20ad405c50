// What the page of data quality counts and does not name, for the host: each voter against the others, and whom and what
// the audits list. It fills <section id="host-voters">.
"use strict";
import { element, percent, withInterval } from "./plot.js";
import { askAgain, english } from "./study.js";

const { t, present, refused, number } = bakeoff;
const MOST_VOTERS = 50;

const place = await present("#host-voters");
const said = element("p", { role: "status", class: "quiet" }, t("voters.loading"));
place.append(element("p", { class: "quiet" }, t("voters.about")), said);
const { status, data } = await askAgain("./api/host/quality");
if (status === 200) {
  said.remove();
  place.append(...consented(data.consents), ...against(data.voters), ...listed(data.listed));
} else {
  said.textContent = data.error ? refused(data) : t("voters.trouble");
}

/** How many voters agreed to be published; nothing where nobody was asked. */
function consented(counts) {
  if (!counts.length) return [];
  const lines = counts.map(({ version, license, n_yes: yes, n_no: no }) =>
    element("li", {}, `${t("quality.consent.terms", { version, license })}: ${t("quality.consent.told", { yes: number(yes), no: number(no) })}`),
  );
  return [element("h3", {}, t("quality.consent")), element("p", { class: "quiet" }, t("quality.consent.about")), element("ul", {}, ...lines)];
}

function against(voters) {
  const title = element("h3", {}, t("voters.others"));
  if (!voters.length) return [title, element("p", { class: "quiet" }, t("voters.nobody"))];
  const share = ({ raw }) => (raw.value === null ? "–" : withInterval(raw, (value) => percent(value, 0)));
  const heads = [t("quality.voters"), t("voters.column.same"), t("voters.column.same_decisive"), t("study.column.pairs_of_answers")];
  // Those with most votes first, and the many with few together at the end.
  const shown = [...voters.filter(({ voter }) => voter !== null).slice(0, MOST_VOTERS), ...voters.filter(({ voter }) => voter === null)];
  const rows = shown.map(({ voter, n_voters: n, all, decisive }) => [voter ?? t("voters.pooled", { n }), share(all), share(decisive), number(all.n_items)]);
  return [title, element("p", { class: "quiet" }, t("voters.others.about")), table(t("voters.others"), heads, rows)];
}

function listed(families) {
  const title = element("h3", {}, t("voters.listed"));
  if (!families.length) return [title, element("p", { class: "quiet" }, t("voters.none"))];
  return [
    title,
    ...families.flatMap(({ audit, label, listed: members }) => {
      const names = Object.keys(members[0]).filter((name) => name !== "low" && name !== "high");
      const rows = members.map((each) => names.map((name) => written(name, each[name])));
      return [element("h4", {}, `${t(`quality.audit.${audit}`)} `, english(label)), table(label, names, rows, "en")];
    }),
  ];
}

function written(name, value) {
  if (typeof value !== "number") return value;
  if (name === "share") return percent(value);
  if (!name.endsWith("_value")) return number(value, { maximumFractionDigits: 3 });
  return value < 1e-4 ? "< 0.0001" : number(value, { maximumSignificantDigits: 2 });
}

function table(title, heads, rows, lang = null) {
  const head = element("tr", {}, ...heads.map((name) => element("th", { scope: "col" }, name)));
  const body = rows.map(([first, ...others]) => element("tr", {}, element("th", { scope: "row" }, first), ...others.map((each) => element("td", { class: "n" }, each))));
  return element("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": title, lang }, element("table", {}, element("thead", {}, head), element("tbody", {}, ...body)));
}
