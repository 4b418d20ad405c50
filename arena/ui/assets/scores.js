// How voters did on the worked examples of the guideline, one line a voter and version, the latest first.
"use strict";
import { element } from "./plot.js";

const { t, get, present, refused, number } = bakeoff;
const COLUMNS = ["voter", "version", "day", "agreed", "passed"];

const place = await present("#host-calibration");
const { status, data } = await get("api/host/calibration");
if (status !== 200) add(data.error ? refused(data) : t("scores.trouble"), "trouble");
else if (!data.scores.length) add(t("scores.none"), "quiet");
else {
  add(t("scores.about"), "quiet");
  place.append(table(data.scores));
}

function add(text, kind) {
  place.append(element("p", { class: kind, role: "status" }, text));
}

function table(scores) {
  const head = COLUMNS.map((name) => element("th", { scope: "col" }, t(`scores.${name}`)));
  const rows = scores.map((each) =>
    element(
      "tr",
      {},
      element("th", { scope: "row" }, each.voter_id),
      element("td", {}, each.guideline_version),
      element("td", {}, day(each.ended_at)),
      element("td", {}, t("scores.of", { agreed: number(each.n_agreed), judged: number(each.n_judged) })),
      element("td", {}, number(each.n_passed)),
    ),
  );
  const drawn = element("table", {}, element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...rows));
  // On a phone the table scrolls by itself, by keys as well.
  return element("div", { class: "scores", tabindex: "0", role: "region", "aria-labelledby": "host-calibration-title" }, drawn);
}

function day(time) {
  return new Date(time).toLocaleDateString(bakeoff.language, { dateStyle: "medium" });
}
