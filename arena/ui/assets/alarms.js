// The host's alarms: parts of the arena that failed while it went on without them.
"use strict";
import { element } from "./plot.js";

const { t, get, present, refused } = bakeoff;

const place = await present("#host-alarms");
const { status, data } = await get("api/host/alarms");
if (status !== 200) add("p", data.error ? refused(data) : t("alarms.trouble"), "trouble");
else if (!data.alarms.length) add("p", t("alarms.none"), "quiet");
else {
  const lines = data.alarms.map((each) =>
    element("li", {}, t("alarms.line", { ...each, last: when(each.last) })),
  );
  const list = element("ul");
  list.append(...lines);
  place.append(list);
}

function add(tag, text, kind) {
  place.append(element(tag, { class: kind, role: "status" }, text));
}

function when(time) {
  return new Date(time).toLocaleString(bakeoff.language, { dateStyle: "medium", timeStyle: "short" });
}
