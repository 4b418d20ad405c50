// A list: fetch it, show its answers, let the voter rank them, send the ranks, show whose answers they were, go on.
//
// The twin of ballot.js for arenas whose voters put several answers in order. Before the ranks are stored this script knows
// texts and an opaque id. Answers are called by letters in the order in which the server's chance has put them.
"use strict";
(() => {
  const { t, refused, post, isForPage, letters, present, one, all } = bakeoff;
  const { RELOADS, count, say, settle, offerUndo } = bakeoff.parts;

  // loading -> voting -> sending -> revealed -> loading; notice: nothing to rank
  let state = "loading";
  let list = null; // the one on the page
  let last = null; // the id of the list that can be taken back
  let current = 0; // which answer the digits rank
  let again = null;
  let isUndoing = false;

  const before = Promise.resolve(bakeoff.before);
  present("#arena").then(async (arena) => {
    bakeoff.fill(arena);
    bakeoff.fill(one("#bar"));
    wire();
    enter("loading");
    const greet = await before;
    show(greet ? await greet(() => {}) : "");
  });

  // ---- the server ----

  async function show(notice = "") {
    enter("loading");
    const { status, data } = await post("api/lists", {});
    count(data.votes);
    if (data.last !== undefined) last = data.last;
    if (status === 200 && data.list) {
      render(data.list, data.votes);
      enter("voting");
      trouble(notice);
      say(notice || (list ? t("arena.next_ballot") : ""));
      list = data.list;
      return;
    }
    const title = bakeoff.knows(`notice.${data.error}`) ? t(`notice.${data.error}`) : t("arena.silent");
    const why = [notice, said(data, "arena.unreachable")].filter(Boolean).join("\n");
    tell(title, why, { done: data.error === "no_ballot_left", reload: RELOADS.test(data.error) });
  }

  function said(data, otherwise) {
    return data.error ? refused(data) : t(otherwise);
  }

  async function save() {
    if (state !== "voting" || isUndoing) return;
    const ranks = ranksSaid();
    if (ranks.includes(null)) {
      current = ranks.indexOf(null);
      mark();
      one(`#answer-${current}`).scrollIntoView({ block: "nearest" });
      return say(one("#order").textContent);
    }
    if (new Set(ranks).size === 1) return trouble(t("ranked.same"));
    enter("sending");
    const { status, data } = await act(list.ballot_id, "vote", { ranks });
    if (status === 200) return reveal(data);
    refuse(status, data, "arena.not_saved", "arena.unsure", save);
  }

  async function skip(reason) {
    if (state !== "voting" || isUndoing) return;
    enter("sending");
    const { status, data } = await act(list.ballot_id, "skip", { reason });
    if (status === 200) return show(t("arena.skipped"));
    refuse(status, data, "arena.not_skipped", "arena.unsure_skip", () => skip(reason));
  }

  function refuse(status, data, not, unsure, retry) {
    const why = said(data, unsure);
    if (status === 404 || status === 409 || status === 410) return show(why); // closed: another tab was first, or too late
    if (RELOADS.test(data.error)) return tell(t(`notice.${data.error}`), why, { reload: true });
    enter("voting");
    trouble(why, retry);
    say(t(not, { why }));
  }

  /** Take the last list back: right after it, while the next one waits, or where there is none left. */
  async function undo() {
    if (isUndoing || !last || !one("#undo") || !/^(revealed|voting|notice)$/.test(state)) return;
    const from = state;
    isUndoing = true;
    enter(from);
    const { status, data } = await act(last, "withdrawal", {});
    isUndoing = false;
    if (status === 200 || status === 409 || status === 410 || status === 403) last = null;
    enter(from);
    const told = status === 200 ? t("ranked.withdrawn") : t("arena.not_withdrawn", { why: said(data, "arena.unsure_undo") });
    if (status === 200) count(data.votes);
    if (from === "notice") one("#notice p").textContent = told;
    else if (from === "revealed" && status === 200) after(told, one("#who").textContent, "withdrawn");
    else trouble(told, status === 200 || !last ? null : undo);
    say(told);
  }

  function act(ballot_id, what, body) {
    return post(`api/lists/${encodeURIComponent(ballot_id)}/${what}`, body);
  }

  // ---- what the page shows ----

  function render(next, votes) {
    one("#prompt-label").textContent = bakeoff.parts.label(next);
    bakeoff.parts.ask(next.messages);
    one("#pair").replaceChildren(...next.answers.map((html, place) => card(html, place, next.answers.length)));
    bakeoff.parts.speak(all("#prompt .text, #pair .text"), next.language);
    one("#welcome").hidden = votes?.mine !== 0 || list !== null || !one("#welcome").textContent.trim();
    one("#earlier").scrollTop = one("#earlier").scrollHeight;
    current = 0;
    mark();
    tellOrder();
    window.scrollTo(0, 0);
    if (list) one("#prompt").focus({ preventScroll: true });
  }

  /** An answer with its ranks: radio buttons, so that arrows, touch and screen readers know them. */
  function card(html, place, n) {
    const card = made("article", "answer");
    card.id = `answer-${place}`;
    const [head, name] = [made("h3"), made("span", "", t("ranked.answer", { letter: letter(place) }))];
    name.id = `label-${place}`;
    head.append(name, made("span", "name"), made("span", "score"));
    card.setAttribute("aria-labelledby", name.id);
    const text = made("div", "text");
    Object.assign(text, { dir: "auto", tabIndex: 0, innerHTML: html });
    text.setAttribute("role", "group");
    text.setAttribute("aria-labelledby", name.id);
    card.append(head, ranks(place, n), text);
    card.addEventListener("pointerdown", () => choose(place));
    card.addEventListener("focusin", () => choose(place));
    return card;
  }

  function ranks(place, n) {
    const set = made("fieldset", "ranks");
    set.append(made("legend", "unseen", t("ranked.rank_of", { letter: letter(place) })));
    for (let rank = 1; rank <= n; rank++) {
      const [label, radio] = [made("label"), made("input")];
      Object.assign(radio, { type: "radio", name: `rank-${place}`, value: String(rank) });
      radio.addEventListener("change", tellOrder);
      label.append(radio, made("span", "", String(rank)));
      set.append(label);
    }
    return set;
  }

  function letter(place) {
    return String.fromCharCode(65 + place);
  }

  /** The rank of each answer; null where none is chosen yet. */
  function ranksSaid() {
    return [...all(".ranks")].map((set) => (one("input:checked", set) ? Number(one("input:checked", set).value) : null));
  }

  function choose(place) {
    current = place;
    mark();
  }

  function mark() {
    for (const [place, card] of [...all("#pair .answer")].entries()) {
      card.classList.toggle("current", place === current && state !== "revealed");
    }
  }

  /** Rank the answer that is chosen, and go on to the next one without a rank. */
  function rank(number) {
    const radio = one(`#answer-${current} input[value="${number}"]`);
    if (!radio) return;
    radio.checked = true;
    tellOrder();
    const said = ranksSaid();
    say(`${t("ranked.answer", { letter: letter(current) })}: ${number}. ${one("#order").textContent}`);
    const next = [...said.slice(current), ...said.slice(0, current)].indexOf(null);
    if (next < 0) return;
    choose((current + next) % said.length);
    one(`#answer-${current}`).scrollIntoView({ block: "nearest" });
  }

  function tellOrder() {
    const said = ranksSaid();
    const n = said.filter((each) => each === null).length;
    one("#order").textContent = n ? t("ranked.left", { n }) : t("ranked.order", { order: order(said) });
    one("#save").classList.toggle("go", n === 0);
    if (!one("#trouble").hidden && !again) trouble("");
  }

  /** "B > A = C": the best first. */
  function order(said) {
    const places = [...said.keys()].sort((one, other) => said[one] - said[other] || one - other);
    return places.map((place, k) => (k ? (said[place] === said[places[k - 1]] ? " = " : " > ") : "") + letter(place)).join("");
  }

  function reveal(data) {
    const { standing } = bakeoff.reveal;
    const said = ranksSaid();
    const names = [];
    for (const [place, contender] of data.answers.entries()) {
      const card = one(`#answer-${place}`);
      one(".name", card).textContent = contender.name;
      one(".name", card).title = contender.organization ?? "";
      one(".score", card).textContent = standing(contender);
      card.classList.toggle("won", said[place] === Math.min(...said));
      names.push(`${letter(place)} ${contender.name}`);
    }
    last = list.ballot_id;
    count(data.votes);
    after(`✓ ${t("ranked.saved", { order: order(said) })}`, names.join(" · "), "saved");
    say(`${t("ranked.saved", { order: order(said) })} ${names.join(", ")}`);
  }

  function after(saved, who, tone) {
    one("#saved").textContent = saved;
    one("#saved").className = tone;
    one("#who").textContent = who;
    trouble("");
    enter("revealed");
    one("#next").focus({ preventScroll: true });
  }

  function next() {
    if (state === "revealed" && !isUndoing) show();
  }

  function tell(title, message, { done = false, reload = false }) {
    bakeoff.parts.notice(title, message, { done, reload });
    enter("notice");
    one("#notice").focus({ preventScroll: true });
    say(`${title}. ${message}`);
  }

  function trouble(message, retry = null) {
    again = retry;
    one("#trouble span").textContent = message;
    one("#trouble").hidden = !message;
    one("#trouble").classList.toggle("bad", retry !== null);
    one("#resend").hidden = again === null;
  }

  function enter(next) {
    state = next;
    const arena = one("#arena");
    arena.dataset.state = next;
    arena.ariaBusy = String(next === "loading");
    one("#prompt").hidden = one("#pair").hidden = one("#bar").hidden = next === "notice";
    one("#notice").hidden = next !== "notice";
    if (next === "voting" || next === "revealed") {
      if (one("#ranking").hidden === (next === "voting")) settle();
      one("#ranking").hidden = next !== "voting";
      one("#after").hidden = next !== "revealed";
    }
    offerUndo(last, next === "voting");
    one("#bar").dataset.state = next;
    for (const button of all("#bar button, #notice button")) {
      button.ariaDisabled = String(isUndoing || next === "sending" || next === "loading");
    }
    for (const set of all(".ranks")) set.disabled = next !== "voting";
    mark();
  }

  function made(name, className = "", text = "") {
    const it = document.createElement(name);
    if (className) it.className = className;
    if (text) it.textContent = text;
    return it;
  }

  // ---- mouse, keys and the page itself ----

  function wire() {
    one("#save").addEventListener("click", save);
    one("#resend").addEventListener("click", () => again?.());
    one("#next").addEventListener("click", next);
    for (const button of all("#undo, #undo_last, #undo_left")) button.addEventListener("click", undo);
    bakeoff.parts.wireSkip(askWhy, skip);
    one("#retry").addEventListener("click", (event) => {
      if (isUndoing) return;
      if (event.currentTarget.dataset.reload === "true") return location.reload();
      show();
    });
    document.addEventListener("keydown", onKey);
    document.addEventListener("bakeoff:withdrawn", ({ detail }) => {
      last = null;
      count(detail.votes);
      enter(state);
    });
    bakeoff.parts.makeRoom();
  }

  function askWhy() {
    if (state === "voting" && !isUndoing) one("#skip-sheet").showModal();
  }

  function onKey(event) {
    // A radio button takes arrows and the space bar; every other key means the same there as anywhere.
    const isRadio = event.target.matches?.(".ranks input");
    const isOurs = isRadio
      ? !(event.repeat || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) &&
        !(event.key.length === 1 && (letters.areOff() || event.key === " "))
      : isForPage(event);
    if (!isOurs) return;
    const key = event.key.toUpperCase();
    const place = key.length === 1 ? key.charCodeAt(0) - 65 : -1;
    const digit = /^Digit(\d)$/.exec(event.code)?.[1] ?? (/^\d$/.test(key) ? key : null);
    const isFocused = /^(BUTTON|A|SUMMARY)$/.test(event.target.tagName); // then Enter means that
    const does =
      (state === "voting" && one(`#answer-${place}`) && (() => (choose(place), one(`#answer-${place}`).scrollIntoView({ block: "nearest" })))) ||
      (state === "voting" && digit && (() => rank(Number(digit)))) ||
      (key === "S" && state === "voting" && one("#skip") && askWhy) ||
      (key === "U" && undo) ||
      (key === "ENTER" && !isFocused && state === "voting" && save) ||
      (key === "ENTER" && !isFocused && state === "revealed" && next);
    if (!does) return;
    event.preventDefault();
    does();
  }
})();
