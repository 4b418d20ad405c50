// How the models that answer live do since the arena was opened: one line a model, for the host alone.
"use strict";
import { element, percent } from "./plot.js";

const { t, get, present, refused, number } = bakeoff;
const COLUMNS = ["model", "answers", "success", "first_word", "characters", "usd", "state"];

const place = await present("#host-models");
const { status, data } = await get("api/host/models");
if (status !== 200) add(data.error ? refused(data) : t("models.trouble"), "trouble");
else {
  add(t("models.about", { n: data.running }), "quiet");
  place.append(table(data.models));
}

function add(text, kind) {
  place.append(element("p", { class: kind, role: "status" }, text));
}

function table(models) {
  const head = COLUMNS.map((name) => element("th", { scope: "col" }, t(`models.${name}`)));
  const rows = models.map((each) =>
    element(
      "tr",
      {},
      element("th", { scope: "row" }, each.id),
      element("td", {}, number(each.answers)),
      element("td", {}, each.success === null ? "–" : percent(each.success, 0)),
      element("td", {}, seconds(each.first_word)),
      element("td", {}, each.characters === null ? "–" : number(Math.round(each.characters))),
      element("td", {}, each.usd === null ? "–" : number(each.usd, { style: "currency", currency: "USD", maximumFractionDigits: 4 })),
      element("td", {}, ...state(each)),
    ),
  );
  const drawn = element("table", {}, element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...rows));
  // On a phone the table scrolls by itself, by keys as well.
  return element("div", { class: "scores", tabindex: "0", role: "region", "aria-labelledby": "host-models-title" }, drawn);
}

/** Whether a model rests, how often it failed and why; the endpoint's own words of the last time. */
function state({ rests_for, failures, last_failure }) {
  const rests = rests_for > 0 ? t("models.rests", { time: seconds(Math.ceil(rests_for)) }) : t("models.well");
  const counts = Object.entries(failures).map(([name, n]) => `${t(`models.failed.${name}`)} ${number(n)}`);
  const line = [rests, ...counts].join(" · ");
  return last_failure ? [line, element("br"), element("small", {}, last_failure.detail)] : [line];
}

function seconds(value) {
  if (value === null) return "–";
  return number(value, { style: "unit", unit: "second", unitDisplay: "short", maximumFractionDigits: 1 });
}
