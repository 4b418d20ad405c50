// The ballot: fetch it, show it, send one verdict, show whose answers they were, go on; or skip it, or take the last
// vote back.
//
// The ballot is asked for at once, while Gradio is still loading, and shown as soon as Gradio has put the shell of
// arena/ui/arena_page.py on the page. Before a vote is stored this script knows two texts and an opaque id.
"use strict";
(() => {
  const { t, refused, post, isForPage, isField, present, one, all } = bakeoff;
  const { RELOADS, count, say, settle, offerUndo } = bakeoff.parts;
  const ARROWS = { ArrowLeft: "a", ArrowRight: "b" }; // up and down scroll, as everywhere

  // loading -> voting -> sending -> revealed -> loading; sending -> voting when it failed; notice: nothing to vote on.
  // Where the arena asks for more than a verdict (labels.js), labelling stands between voting and sending, both ways.
  let state = "loading";
  let ballot = null; // the one on the page
  let chosen = null; // the button of the bar that says the verdict
  let last = null; // the vote that can be withdrawn: its ballot_id, and its verdict in words
  let again = null; // what "Try again" does
  let isUndoing = false;

  // What comes before the first ballot, where the pack asks for it (calibration.js). A ballot's clock starts when it is
  // opened, so it is asked for after that.
  const before = Promise.resolve(bakeoff.before);
  const first = before.then((greet) => (greet ? null : open()));
  present("#arena").then(async (arena) => {
    bakeoff.fill(arena);
    bakeoff.fill(one("#bar"));
    wire();
    enter("loading");
    const greet = await before;
    if (!greet) return show(first);
    const sentence = await greeted(greet);
    show(open(), sentence);
  });

  /** What the greeting says for the first ballot. One that fails must not keep the ballot back. */
  async function greeted(greet) {
    try {
      return await greet(render);
    } catch (error) {
      console.warn(`worked examples not shown: ${error}`);
    }
  }

  // ---- the server ----

  /** The next ballot: of the bank, or, where voters put prompts of their own (live.js), of the next prompt. */
  function open() {
    return post(bakeoff.live ? "api/live/open" : "api/ballots", {});
  }

  /** Wait for a ballot and show it, or say why there is none. */
  async function show(request, notice = "") {
    enter("loading");
    const { status, data } = await (bakeoff.live ? bakeoff.live.ballot(request) : request);
    count(data.votes);
    if (data.last !== undefined) last = data.last && { ballot_id: data.last.ballot_id, words: bakeoff.verdict(data.last) };
    if (status === 200 && data.ballot) {
      enter("voting");
      trouble(bakeoff.live ? "" : notice); // there it was said long ago
      render(data.ballot, data.votes);
      say(notice || (ballot ? t("arena.next_ballot") : ""));
      ballot = data.ballot;
      return;
    }
    const title = bakeoff.knows(`notice.${data.error}`) ? t(`notice.${data.error}`) : t("arena.silent");
    const done = data.error === "no_ballot_left";
    const why = [notice, said(data, "arena.unreachable")].filter(Boolean).join("\n");
    tell(title, why, { done, reload: RELOADS.test(data.error) });
  }

  /** What the server said, or the text of a key where nothing came from it. */
  function said(data, otherwise) {
    return data.error ? refused({ ...data, kept: data.kept && kept(data) }) : t(otherwise);
  }

  /** The verdict that stands, in words, where another one was refused. */
  function kept(data) {
    return bakeoff.verdict({ verdict: data.kept, step: data.step });
  }

  /** Say the verdict of a button of the bar: it is sent at once, but where there is more to say first. */
  function choose(button) {
    if ((state !== "voting" && state !== "labelling") || isUndoing) return;
    chosen = button;
    if (!bakeoff.labels) return vote();
    if (state === "voting") {
      trouble("");
      enter("labelling");
      say(t("labels.opened", { verdict: wordsOf(chosen) }));
    }
    mark();
    bakeoff.labels.open(chosen.dataset.verdict, wordsOf(chosen));
  }

  /** Send what was chosen, with what was said beside it. */
  async function vote() {
    if ((state !== "voting" && state !== "labelling") || isUndoing) return;
    const { verdict, strength } = chosen.dataset;
    const { scale } = one("#verdicts").dataset;
    const labels = { ...(scale && { scale }), ...(strength && { strength: Number(strength) }), ...bakeoff.thumbs?.read(), ...bakeoff.labels?.read() };
    enter("sending");
    mark();
    const { status, data } = await act(ballot, "vote", Object.keys(labels).length ? { verdict, labels } : { verdict });
    if (status === 200) return reveal(data);
    refuse(status, data, "arena.not_saved", "arena.unsure", vote);
  }

  /** Back to choosing; what was entered stays for this ballot. */
  function unchoose() {
    if (state !== "labelling") return;
    enter("voting");
    trouble("");
    chosen.focus({ preventScroll: true });
  }

  /** Close the ballot without a vote; nobody is revealed. */
  async function skip(reason) {
    if (state !== "voting" || isUndoing) return;
    enter("sending");
    const { status, data } = await act(ballot, "skip", { reason });
    if (status === 200) return show(open(), t("arena.skipped"));
    refuse(status, data, "arena.not_skipped", "arena.unsure_skip", () => skip(reason));
  }

  /** Put the own prompt once more, to two models that are drawn anew; this ballot closes without a vote. */
  async function renew() {
    if (state !== "voting" || isUndoing || one("#renew")?.hidden !== false) return;
    enter("sending");
    const { status, data } = await act(ballot, "skip", { reason: "other" });
    if (status === 200) return show(bakeoff.live.again());
    refuse(status, data, "arena.not_skipped", "arena.unsure_skip", renew);
  }

  /** What became of a vote or a skip that was not taken. */
  function refuse(status, data, not, unsure, retry) {
    if (status === 409) return pass(data); // another tab was first; the names stay hidden
    const told = [said(data, unsure), unsent()].filter(Boolean).join("\n");
    if (status === 404 || status === 410) return show(open(), told);
    if (RELOADS.test(data.error)) return tell(t(`notice.${data.error}`), told, { reload: true });
    enter(bakeoff.labels?.isOpen() ? "labelling" : "voting");
    const why = said(data, unsure);
    trouble(why, retry, { reload: data.error === "not_a_label" }); // the rules have changed since the page came
    say(t(not, { why }));
  }

  /** What was typed for a ballot that takes no vote any more, so that it can be copied. */
  function unsent() {
    const comment = bakeoff.labels?.read().comment;
    return comment ? t("labels.unsent", { comment }) : "";
  }

  /** Take the last vote back: right after it, while the next ballot waits for its own, or where there is none left. */
  async function undo() {
    if (isUndoing || !last || !one("#undo") || !/^(revealed|voting|notice)$/.test(state)) return;
    const taken = last;
    const from = state;
    isUndoing = true; // the next vote would close the way back
    enter(state);
    const { status, data } = await act(taken, "withdrawal", {});
    isUndoing = false;
    if (status === 200 || status === 409 || status === 410 || status === 403) last = null;
    enter(from);
    if (status !== 200) {
      const why = said(data, "arena.unsure_undo");
      if (from === "notice") one("#notice p").textContent = t("arena.not_withdrawn", { why });
      else trouble(why, last ? undo : null);
      return say(t("arena.not_withdrawn", { why }));
    }
    count(data.votes);
    const verdict = taken.words;
    if (from !== "revealed") {
      const told = t("arena.withdrawn_before", { verdict });
      if (from === "notice") one("#notice p").textContent = told;
      else trouble(told);
      return say(told);
    }
    for (const answer of all(".answer")) answer.classList.remove("won");
    bakeoff.thumbs?.reset();
    after(t("arena.withdrawn", { verdict }), one("#who").textContent, "withdrawn");
    say(t("arena.withdrawn", { verdict }));
  }

  /** All votes were taken back, over the page (own_data.js); the ballot below stays. */
  function allWithdrawn({ votes, sentence }) {
    last = null;
    count(votes);
    if (bakeoff.live?.hasPage()) return;
    if (state === "revealed") {
      for (const answer of all(".answer")) answer.classList.remove("won");
      bakeoff.thumbs?.reset();
      one("#saved").textContent = sentence;
      one("#saved").className = "withdrawn";
    }
    enter(state);
  }

  function act({ ballot_id }, what, body) {
    return post(`api/ballots/${encodeURIComponent(ballot_id)}/${what}`, body);
  }

  // ---- what the page shows ----

  function render(next, votes) {
    one("#prompt-label").textContent = bakeoff.parts.label(next);
    bakeoff.parts.ask(next.messages);
    for (const [side, html] of [["a", next.answer_a], ["b", next.answer_b]]) {
      const answer = one(`#${side}`);
      answer.classList.remove("won");
      one(".text", answer).innerHTML = html;
      one(".text", answer).scrollTop = 0;
      one(".name", answer).textContent = "";
      one(".score", answer).textContent = "";
    }
    bakeoff.parts.speak(all("#arena .text"), next.language);
    one("#welcome").hidden = Boolean(bakeoff.live) || votes?.mine !== 0 || ballot !== null || !one("#welcome").textContent.trim();
    document.dispatchEvent(new Event("bakeoff:ballot")); // for reading.js
    fold(true);
    one("#earlier").scrollTop = one("#earlier").scrollHeight;
    window.scrollTo(0, 0);
    chosen = null;
    bakeoff.labels?.reset();
    bakeoff.thumbs?.reset();
    if (ballot) one("#prompt").focus({ preventScroll: true });
  }

  function reveal(data) {
    const { standing, spoken, ofOthers } = bakeoff.reveal;
    const others = ofOthers(data.others);
    const sides = { a: data.a, b: data.b };
    for (const [side, contender] of Object.entries(sides)) {
      const answer = one(`#${side}`);
      answer.classList.toggle("won", data.verdict === side.toUpperCase());
      one(".name", answer).textContent = contender.name;
      one(".name", answer).title = contender.organization ?? "";
      one(".score", answer).textContent = standing(contender);
    }
    const verdict = chosen.dataset.verdict === data.verdict ? wordsOf(chosen) : t(`verdict.${data.verdict}`);
    last = { ballot_id: ballot.ballot_id, words: verdict };
    after(`✓ ${t("arena.saved", { verdict })}`, t("arena.who", { a: data.a.name, b: data.b.name }), "saved");
    one("#others").textContent = others;
    count(data.votes);
    say(`${t("arena.said", { verdict, a: spoken(data.a), b: spoken(data.b) })} ${others}`.trim());
  }

  /** The ballot was voted on elsewhere: say so and offer the next one. What can be taken back is the vote that it has. */
  function pass(data) {
    const message = said(data);
    last = { ballot_id: ballot.ballot_id, words: kept(data) };
    bakeoff.thumbs?.reset(); // they were not saved
    after(message, "", "quiet");
    trouble(unsent());
    say([message, unsent()].filter(Boolean).join("\n"));
  }

  function after(saved, who, tone) {
    bakeoff.live?.offerRenewal(false);
    one("#saved").textContent = saved;
    one("#saved").className = tone;
    one("#who").textContent = who;
    one("#others").textContent = "";
    trouble("");
    enter("revealed");
    one("#next").focus({ preventScroll: true });
  }

  function next() {
    if (state !== "revealed" || isUndoing) return;
    // Only now: a ballot that was opened while the last names were still being read would count that time as judging.
    show(open());
  }

  function tell(title, message, { done = false, reload = false }) {
    bakeoff.parts.notice(title, message, { done, reload });
    if (reload) last = null; // whose it was is not known here any more
    enter("notice");
    one("#notice").focus({ preventScroll: true });
    say(`${title}. ${message}`);
  }

  /** A line above the buttons; with `retry` it offers to do the same again. */
  function trouble(message, retry = null, { reload = false } = {}) {
    const focused = document.activeElement;
    again = reload ? () => location.reload() : retry;
    one("#resend").textContent = t(reload ? "arena.reload" : "arena.retry");
    one("#trouble span").textContent = message;
    one("#trouble").hidden = !message;
    one("#trouble").classList.toggle("bad", retry !== null);
    one("#resend").hidden = again === null;
    keepFocus(focused);
  }

  /** A button that hides itself must not take the focus along: who uses keys would start from the top of the page. */
  function keepFocus(focused) {
    if (!focused?.closest("[hidden]")) return;
    one(state === "notice" ? "#notice" : "#prompt").focus({ preventScroll: true });
  }

  function enter(next) {
    const focused = document.activeElement; // before anything is hidden: that takes the focus at once
    state = next;
    const arena = one("#arena");
    arena.dataset.state = next;
    arena.ariaBusy = String(next === "loading");
    one("#prompt").hidden = one("#pair").hidden = one("#bar").hidden = next === "notice";
    one("#notice").hidden = next !== "notice";
    // While the next ballot is on its way the bar stays as it is: nothing flashes.
    if (next === "voting") {
      one("#verdicts").hidden = false;
      one("#after").hidden = true;
    } else if (next === "revealed") {
      one("#verdicts").hidden = true;
      one("#after").hidden = false;
    }
    offerUndo(last, next === "voting");
    if (next !== "labelling" && next !== "sending") bakeoff.labels?.hide();
    bakeoff.labels?.hold(next === "sending");
    bakeoff.thumbs?.hold(isUndoing || !/^(voting|labelling)$/.test(next));
    if (/^(voting|labelling|revealed)$/.test(next) && one("#bar").dataset.state !== next) settle();
    one("#bar").dataset.state = next;
    for (const button of all("#bar button, #notice button")) {
      // Not `disabled`: that would take the focus away from the button that was just used.
      button.ariaDisabled = String(isUndoing || next === "sending" || next === "loading");
      if (next === "voting") {
        button.classList.remove("chosen");
        button.ariaPressed = null;
      }
    }
    keepFocus(focused);
  }

  function mark() {
    for (const button of all("#verdicts [data-verdict]")) {
      button.classList.toggle("chosen", button === chosen);
      if (bakeoff.labels) button.ariaPressed = String(button === chosen);
    }
  }

  /** What a button of the bar says. */
  function wordsOf(button) {
    return one("[data-t]", button).textContent;
  }

  function fold(isFolded) {
    const prompt = one("#prompt");
    const button = one("#unfold");
    prompt.classList.toggle("unfolded", !isFolded);
    one("#arena").classList.toggle("unfolded", !isFolded);
    if (isFolded) {
      const question = one("#question");
      const isLong = question.scrollHeight > question.clientHeight + 4;
      button.hidden = !isLong;
      prompt.classList.toggle("long", isLong);
    }
    button.ariaExpanded = String(!isFolded);
    button.textContent = t(isFolded ? "arena.unfold" : "arena.fold");
  }

  // ---- mouse, keys and the page itself ----

  function wire() {
    for (const button of all("[data-verdict]")) button.addEventListener("click", () => choose(button));
    bakeoff.labels?.wire({ save: vote, back: unchoose });
    bakeoff.thumbs?.wire();
    one("#resend").addEventListener("click", () => again?.());
    one("#next").addEventListener("click", next);
    one("#renew")?.addEventListener("click", renew);
    for (const button of all("#undo, #undo_last, #undo_left")) button.addEventListener("click", undo);
    bakeoff.parts.wireSkip(askWhy, skip);
    one("#retry").addEventListener("click", (event) => {
      if (isUndoing) return;
      if (event.currentTarget.dataset.reload === "true") return location.reload(); // the page brings the cookie
      show(open());
    });
    one("#unfold").addEventListener("click", ({ currentTarget }) => {
      fold(one("#prompt").classList.contains("unfolded"));
      currentTarget.scrollIntoView({ block: "nearest" }); // a page that is shorter now must not leave the reader elsewhere
    });
    document.addEventListener("keydown", onKey);
    document.addEventListener("bakeoff:withdrawn", ({ detail }) => allWithdrawn(detail));
    bakeoff.parts.makeRoom();
  }

  function askWhy() {
    if (state === "voting" && !isUndoing) one("#skip-sheet").showModal();
  }

  function onKey(event) {
    if (isUndoKey(event)) {
      event.preventDefault();
      undo();
      return;
    }
    if (!isForPage(event)) return;
    const at = event.target;
    const key = event.key.toLowerCase();
    // Who reads in a text scrolls it with the arrows, also sideways.
    const button = bakeoff.barButton(event) ?? (at.closest(".text, #earlier") ? null : ofKey(ARROWS[event.key]));
    const thumb = bakeoff.thumbs?.ofKey(event);
    const isFocused = /^(BUTTON|A|SUMMARY)$/.test(at.tagName); // then Enter means that
    const does =
      (button && (state === "voting" || state === "labelling") && (() => choose(button))) ||
      (thumb && (state === "voting" || state === "labelling") && (() => bakeoff.thumbs.toggle(thumb))) ||
      (key === "s" && state === "voting" && one("#skip") && askWhy) ||
      (key === "u" && undo) ||
      (key === "r" && one("#renew") && renew) ||
      (key === "enter" && state === "labelling" && !isFocused && vote) ||
      (key === "enter" && state === "revealed" && !isFocused && next);
    if (!does) return;
    event.preventDefault();
    does();
  }

  /** What a key stands for: where a row of digits needs Shift, the digit all the same. */
  bakeoff.keyOf = ({ code, key }) => /^Digit(\d)$/.exec(code)?.[1] ?? key;

  /** The button of the bar that a key stands for. */
  bakeoff.barButton = (event) => ofKey(bakeoff.keyOf(event));

  function ofKey(key = "") {
    return /^[a-z\d]$/i.test(key) ? one(`#verdicts [data-verdict][aria-keyshortcuts~="${key.toUpperCase()}"]`) : null;
  }

  /** Ctrl+Z or Cmd+Z, where there is no text that they could mean. */
  function isUndoKey(event) {
    const isIt = event.key.toLowerCase() === "z" && (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey;
    return isIt && !event.repeat && !event.defaultPrevented && !isField(event.target) && !one("dialog[open]");
  }
})();
