// The Leaderboard: ask for the board that the page's address names, show it, and keep the address and the page in step.
//
// The board is asked for at once, while Gradio and the other scripts are still loading. All of a view's state stands in
// the address: which votes count and which lines are shown, by the names of /api/leaderboard, and the order of the table.
"use strict";

const { t, get, one, present, refused, knows } = bakeoff;
const SLOW_MS = 400;
const VERY_SLOW_MS = 6_000;
const BUSY_MS = 3_000;
const MOST_TRIES = 40;
const TYPING_MS = 300;
// Of these the server needs none for the numbers: lines are chosen, and put in order, here.
const OURS = new Set(["q", "organization", "license", "open_weights", "retired", "sort"]);
const FOREIGN = /^(__.*|view|deep_link|logs)$/; // Gradio's own

let params = readAddress();
let data = null; // the board on the page, and the question that it answers
let answered = null;
let number = 0; // of the latest request: an answer to an earlier one comes too late
const first = get(question());

const [table, method, filters] = await Promise.all([
  import("./board_table.js"),
  import("./board_method.js"),
  import("./board_filters.js"),
]);
const page = await present("#board-page");
bakeoff.fill(page);
wire();
load(first);

// ---- the address ----

function readAddress() {
  const found = new URLSearchParams(location.search);
  for (const name of [...found.keys()]) if (FOREIGN.test(name)) found.delete(name);
  return found;
}

/** What to ask the server for: the votes, and nothing of how they are shown. */
function question() {
  const asked = new URLSearchParams([...params].filter(([name]) => !OURS.has(name)));
  return `api/leaderboard${asked.size ? `?${asked}` : ""}`;
}

/** Change what is chosen. `name` null: forget it all. A step in the history, unless it is one letter more of a word. */
function choose(name, values, { isStep = true } = {}) {
  const before = question();
  if (name === null) params = new URLSearchParams([...params].filter(([key]) => key === "sort"));
  else {
    params.delete(name);
    for (const value of values) params.append(name, value);
  }
  const address = location.pathname + (params.size ? `?${params}` : "");
  if (isStep) history.pushState(history.state, "", address);
  else history.replaceState(history.state, "", address);
  follow(before);
}

/** Bring the page in step with the address. */
function follow(before) {
  one("#q").value = params.get("q") ?? "";
  if (question() !== before || data === null) load(get(question()));
  else if (answered === question()) show();
  else drawRows(); // another board is on its way: until then nothing may say that these are its numbers
}

// ---- the server ----

async function load(request) {
  const mine = ++number;
  const asked = question();
  wait(mine);
  const answer = await patient(request, mine);
  if (mine !== number) return;
  number += 1; // no word about waiting any more
  if (answer.status === 200) {
    data = answer.data;
    answered = asked;
    show();
    say(t("board.ready", { n: shownRows().length }));
  } else fail(answer);
}

/** Ask again while the server is busy with the boards of others, or counts for longer than a request may last. */
async function patient(request, mine) {
  for (let tries = 0; ; tries += 1) {
    const begun = performance.now();
    const answer = await request;
    const isSlow = answer.status === 0 && performance.now() - begun > 15_000;
    if (!(answer.data.error === "busy" || isSlow) || tries >= MOST_TRIES || mine !== number) return answer;
    if (!isSlow) await new Promise((resolve) => setTimeout(resolve, BUSY_MS));
    request = get(question());
  }
}

function wait(mine) {
  page.ariaBusy = "true";
  page.classList.add("waiting");
  for (const [after, key] of [[SLOW_MS, data ? "board.computing" : "board.loading"], [VERY_SLOW_MS, "board.still"]]) {
    setTimeout(() => mine === number && tell(t(key)), after);
  }
}

// ---- what the page shows ----

function shownRows() {
  return data.leaderboard.ratings.filter((row) => filters.isShown(row, params));
}

function show() {
  enter("shown");
  const rows = drawRows();
  method.drawFacts(one("#facts"), data, { shown: rows.length });
  method.drawMethod(one("#method > div"), data, filters.chosenInWords(params));
  method.drawColumns(one("#columns > dl"), table.columnsOf(data.leaderboard));
  aside();
  news();
  takeaway();
  if (!rows.length) instead(t("board.empty.lines"), t("board.empty.lines_hint"), { label: t("board.reset"), act: () => choose(null, []) });
}

function drawRows() {
  const rows = shownRows();
  const asked = params.get("sort") ?? "";
  table.drawTable(one("#table"), data.leaderboard, rows, {
    order: table.isOrder(asked) ? asked : table.USUAL_ORDER,
    reason: method.reasonText,
    onOrder: (order) => choose("sort", order === table.USUAL_ORDER ? [] : [order]),
    onHelp: help,
  });
  filters.drawFilters(one("#picks"), data, params, choose);
  return rows;
}

/** No board: say which of the many reasons it is, and what to do. */
function fail({ data: told }) {
  const values = { ...told, why: method.reasonText(told.why) };
  const isEarly = ["no_votes", "not_computed"].includes(told.error) || (told.error === "no_board" && told.every_seconds);
  const isChosen = [...params.keys()].some((name) => name !== "sort");
  const key = `board.empty.${told.error}`;
  let title = t("board.failed");
  if (knows(key)) title = t(key);
  else if (["bad_value", "unknown_parameter", "no_such_view"].includes(told.error)) title = t("board.refused");
  const when = isEarly && told.error !== "no_votes" ? ` ${method.recomputed(told)}` : "";
  const text = (told.error ? refused(values) : t("arena.unreachable")) + when;
  data = answered = null;
  const retry = { label: t("arena.retry"), act: () => load(get(question())) };
  const reset = { label: t("board.reset"), act: () => choose(null, []) };
  enter("instead");
  instead(title, method.marked("span", text, told.why), { ...(isChosen && told.error && !isEarly ? reset : retry), toArena: isEarly, isQuiet: told.error === "no_votes" });
}

function instead(title, text, { label, act, toArena = false, isQuiet = false }) {
  one("#instead h2").textContent = title;
  one("#instead p").replaceChildren(text);
  one("#again").textContent = label;
  one("#again").onclick = act;
  one("#again").hidden = isQuiet;
  one("#again").classList.toggle("go", !toArena);
  one("#instead a").hidden = !toArena;
  one("#table").hidden = true;
  one("#instead").hidden = false;
  say(`${title}. ${text}`);
}

function enter(state) {
  const wasInstead = one("#instead").contains(document.activeElement);
  page.dataset.state = state;
  page.ariaBusy = "false";
  page.classList.remove("waiting");
  one("#bones").hidden = true;
  const isShown = state === "shown";
  for (const id of ["#filters", "#takeaway", "#table", "#facts", "#method", "#columns"]) one(id).hidden = !isShown;
  one("#instead").hidden = isShown;
  if (isShown && wasInstead) one("#q").focus(); // the button that was pressed is gone
  tell("");
}

function aside() {
  const { id, computed_at } = data.snapshot;
  const form = { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: "UTC" };
  const time = new Date(computed_at).toLocaleString(bakeoff.language, form);
  one("#aside").textContent = t("board.as_of", { time: `${time} UTC`, id: id.slice(0, 6) });
  one("#aside").title = method.moment(computed_at);
}

/** Votes that came in since, or newer numbers than these. */
function news() {
  const { n_newer } = data.arena;
  if (params.has("up_to") && (data.log.n_log !== data.snapshot.n_log || n_newer)) {
    tell(t("board.pinned", { n: data.log.n_log }), { label: t("board.newest"), act: () => choose("up_to", []) });
  } else if (n_newer) tell(t("board.newer", { n: n_newer }));
}

function tell(text, offer = null) {
  const line = one("#news");
  line.replaceChildren(text);
  if (!offer) return;
  const button = table.element("button", "plain", offer.label);
  button.type = "button";
  button.addEventListener("click", offer.act);
  line.append(" ", button);
}

/** The link that keeps these numbers, and the files of this view. */
function takeaway() {
  const kept = new URLSearchParams(data.view.link);
  for (const name of filters.LINE_NAMES) for (const value of params.getAll(name)) kept.append(name, value);
  const link = one("#link");
  const sorted = new URLSearchParams([...kept, ...(params.has("sort") ? [["sort", params.get("sort")]] : [])]);
  link.dataset.address = `${location.pathname}?${sorted}`;
  link.textContent = t("board.link");
  const files = ["csv", "json", "parquet"].map((format) => {
    const file = table.element("a", "", format === "parquet" ? "Parquet" : format.toUpperCase());
    file.href = `api/leaderboard?${new URLSearchParams([...kept, ["format", format]])}`;
    file.download = `leaderboard-${data.snapshot.id}.${format}`;
    return file;
  });
  one("#downloads").replaceChildren(...files);
}

function say(sentence) {
  one("#said").textContent = sentence;
}

// ---- mouse, keys and the page itself ----

function wire() {
  let typing = 0;
  one("#q").value = params.get("q") ?? "";
  one("#q").addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(() => {
      const text = one("#q").value.trim();
      choose("q", text ? [text] : [], { isStep: false });
      if (answered === question()) say(t("board.ready", { n: shownRows().length }));
    }, TYPING_MS);
  });
  one("#filters").addEventListener("submit", (event) => event.preventDefault());
  one("#link").addEventListener("click", copyLink);
  filters.closeOutside(one("#picks"));
  addEventListener("popstate", () => {
    const before = question();
    params = readAddress();
    follow(before);
  });
}

/** The address that keeps these numbers goes into the clipboard, where there is one, and in any case over the page. */
async function copyLink() {
  const { address } = one("#link").dataset;
  if (address !== location.pathname + location.search) history.pushState(history.state, "", address);
  const before = question();
  params = readAddress();
  if (question() !== before && data.log.n_log !== data.snapshot.n_log) follow(before);
  try {
    await navigator.clipboard.writeText(new URL(address, location.href).href);
    one("#link").textContent = t("board.copied");
    say(t("board.copied"));
  } catch {
    // No clipboard without a secure connection: the address is in the browser's own field now.
  }
}

/** What a column means, beside its button. */
function help(button, text) {
  const box = one("#help");
  box.textContent = text;
  const { left, bottom } = button.getBoundingClientRect();
  box.style.left = `${Math.max(8, Math.min(left, innerWidth - 336))}px`;
  box.style.top = `${bottom + 6}px`;
}
