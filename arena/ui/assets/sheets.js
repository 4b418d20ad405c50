// What lies over the page: the guideline, the keys, and the voter's own votes. The ballot below stays as it is.
"use strict";
(() => {
  const { t, number, verdict, get, refused, fill, isForPage, letters, present, one, all, language } = bakeoff;
  const OPENS = { g: "guideline", m: "mine", "?": "keys" };
  const FILLS = { guideline: fillGuideline, mine: fillMine };

  present("#keys-sheet").then(() => {
    for (const sheet of all("dialog.sheet")) {
      fill(sheet);
      one(".close", sheet).addEventListener("click", () => sheet.close());
      // A click beside the sheet is one on the dialog itself: its content covers the rest.
      sheet.addEventListener("click", (event) => event.target === sheet && sheet.close());
    }
    one("#guideline").addEventListener("click", () => open("guideline"));
    one("#keys").addEventListener("click", () => open("keys"));
    one("#letters").checked = !letters.areOff();
    one("#letters").addEventListener("change", ({ target }) => letters.setOff(!target.checked));
    one("#aside").addEventListener("click", (event) => event.target.closest("#mine") && open("mine"));
    document.addEventListener("keydown", onKey);
  });

  function onKey(event) {
    const name = OPENS[event.key.toLowerCase()];
    if (!name || !isForPage(event, { shift: name === "keys" })) return;
    event.preventDefault();
    open(name);
  }

  async function open(name) {
    const sheet = one(`#${name}-sheet`);
    const body = one(".body", sheet);
    const isNew = FILLS[name] && !body.hasChildNodes();
    if (isNew) body.append(paragraph(t("sheet.loading")));
    sheet.showModal();
    await FILLS[name]?.(body);
    if (isNew) body.scrollTop = 0;
  }

  async function fillGuideline(body) {
    const { status, data } = await get("api/guideline");
    if (status !== 200) return fail(body, data);
    const text = element("div", "text");
    text.dir = "auto";
    if (data.html) text.innerHTML = data.html; // made on the server, where it can do nothing but be read
    else text.append(paragraph(t("guideline.none"), ""));
    const version = data.version ? [paragraph(t("guideline.version", { version: data.version }))] : [];
    body.replaceChildren(...version, text);
  }

  async function fillMine(body) {
    const { status, data } = await get("api/me");
    if (status !== 200) return fail(body, data);
    const kept = bakeoff.ownData(data.votes?.mine, () => fillMine(body));
    if (!data.recent.length) return body.replaceChildren(paragraph(t("mine.none"), ""), kept);
    const heading = element("h3", "", t("mine.recent"));
    const list = element("ol", "recent");
    list.append(...data.recent.map(recent));
    const n = data.votes?.mine ?? data.recent.filter((vote) => !vote.is_withdrawn).length;
    const ranking = data.models.length ? [paragraph(t("mine.note", { n })), table(data.models)] : [];
    body.replaceChildren(...ranking, heading, list, kept);
  }

  function fail(body, data) {
    body.replaceChildren(paragraph(data.error ? refused(data) : t("arena.unreachable"), ""));
  }

  function table(models) {
    const columns = [
      ["share", ({ share }) => number(share, { style: "percent" })],
      ["won", ({ won }) => number(won)],
      ["tied", ({ tied }) => number(tied)],
      ["lost", ({ lost }) => number(lost)],
      ["both_bad", ({ both_bad }) => number(both_bad)],
      ["n", ({ n }) => number(n)],
    ];
    const head = row([element("th", "", t("mine.model")), ...columns.map(([key]) => element("th", `n ${key}`, t(`mine.${key}`)))]);
    const rows = models.map((model) => {
      const name = element("th", "model", model.name);
      name.scope = "row";
      if (model.organization) name.append(element("small", "", model.organization));
      return row([name, ...columns.map(([key, value]) => element("td", `n ${key}`, value(model)))]);
    });
    const made = element("table", "board");
    const [top, rest] = [element("thead"), element("tbody")];
    for (const cell of head.children) cell.scope = "col";
    top.append(head);
    rest.append(...rows);
    made.append(top, rest);
    const frame = element("div", "scroll");
    frame.append(made);
    return frame;
  }

  function row(cells) {
    const made = element("tr");
    made.append(...cells);
    return made;
  }

  function recent(vote) {
    const item = element("li", vote.is_withdrawn ? "withdrawn" : "");
    const said = element("b", vote.verdict === "A" ? "a" : vote.verdict === "B" ? "b" : "", verdict(vote));
    const names = element("span", "", t("mine.versus", { a: vote.a, b: vote.b }));
    const when = element("span", "when", vote.is_withdrawn ? t("mine.withdrawn") : moment(vote.voted_at));
    item.append(said, names, when);
    if (vote.asked) {
      const asked = element("span", "asked", vote.asked);
      asked.dir = "auto";
      item.append(asked);
    }
    return item;
  }

  function moment(time) {
    if (!time) return "";
    return new Date(time).toLocaleString(language, { dateStyle: "medium", timeStyle: "short" });
  }

  function paragraph(text, className = "quiet") {
    return element("p", className, text);
  }

  function element(name, className = "", text = "") {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (text) made.textContent = text;
    return made;
  }
})();
