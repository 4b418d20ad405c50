// The calibration: a greeting, a few worked examples laid out like ballots, and what the guideline says of each.
//
// It stands on the page only where the pack asks for it, and runs before ballot.js, which waits for `bakeoff.before`: a
// function that greets the voter and ends when the first ballot may come, or null for a voter with nothing to calibrate.
// Whatever fails here is logged, and the ballot comes without it.
"use strict";
(() => {
  const { t, number, get, post, fill, isForPage, one, all } = bakeoff;
  const ARROWS = { ArrowLeft: "A", ArrowRight: "B" };
  const PATIENCE_MS = 4000; // an arena that is slow to answer lets people vote
  const SETTLE_MS = 350; // as in ballot.js
  const SECONDS_EACH = 30;

  // greeting -> example -> sending -> judged -> loading -> example; in the end over
  let state = "over";
  let example = null; // the one on the page
  let following = null; // the answer to the question for the one after it
  let show = null; // ballot.js lays a prompt and two answers out
  let end = null; // goes on to the first ballot, with a sentence on the way

  bakeoff.before = nextExample().then(({ status, data }) => {
    if (status === 200) return (render) => greet(data, render);
    if (status !== 204) complain("not loaded", status);
    return null;
  });

  function nextExample() {
    const tooLate = new Promise((resolve) => setTimeout(resolve, PATIENCE_MS, { status: 0, data: {} }));
    return Promise.race([get("api/calibration"), tooLate]);
  }

  /** Lead the voter through the examples from this one on. Resolves with a sentence for the first ballot. */
  function greet(first, render) {
    show = render;
    example = first;
    fill(one("#greeting"));
    wire();
    const isOver = new Promise((resolve) => (end = resolve));
    try {
      if (first.k > 1) present();
      else welcome();
    } catch (error) {
      fail("not shown", error);
    }
    return isOver;
  }

  function welcome() {
    const minutes = Math.max(1, Math.round((example.n * SECONDS_EACH) / 60));
    const time = number(minutes, { style: "unit", unit: "minute", unitDisplay: "long" });
    const title = t("calibration.title", { n: example.n, time });
    one("#greeting-title").textContent = title;
    enter("greeting");
    one("#greeting").focus({ preventScroll: true });
    say(`${title}. ${t("calibration.about")}`);
  }

  /** The example, as if it were a ballot. */
  function present() {
    enter("example");
    show({
      category: place(),
      language: null,
      messages: [{ role: "user", html: example.prompt }],
      answer_a: example.answer_a,
      answer_b: example.answer_b,
    });
    one("#prompt").focus({ preventScroll: true });
    say(place());
  }

  function place() {
    return t("calibration.place", { k: example.k, n: example.n });
  }

  async function judge(verdict) {
    if (state !== "example") return;
    enter("sending");
    for (const button of all("#judge button")) button.classList.toggle("chosen", button.dataset.judge === verdict);
    const { status, data } = await post(`api/calibration/${example.number}`, { verdict });
    if (state !== "sending") return; // passed over meanwhile
    if (status !== 200) return fail("not judged", status);
    following = nextExample();
    explain(data);
  }

  /** Whether the voter and the guideline agree, and why the guideline says what it says. */
  function explain({ verdict, guideline }) {
    const values = { verdict: t(`verdict.${guideline.verdict}`), yours: verdict && t(`verdict.${verdict}`) };
    const isAgreed = verdict === guideline.verdict;
    const told = t(isAgreed ? "calibration.agreed" : verdict ? "calibration.differs" : "calibration.says", values);
    for (const side of ["a", "b"]) one(`#${side}`).classList.toggle("won", guideline.verdict === side.toUpperCase());
    one("#saved").textContent = isAgreed ? `✓ ${told}` : told;
    one("#saved").className = isAgreed ? "saved" : "withdrawn";
    one("#who").textContent = guideline.title; // not before: a title may tell the verdict
    one("#others").textContent = "";
    one("#why").innerHTML = guideline.reason; // made on the server, where it can do nothing but be read
    one("#why").scrollTop = 0;
    enter("judged");
    one("#next").focus({ preventScroll: true });
    say(`${told} ${one("#why").textContent.trim()}`);
  }

  async function next() {
    if (state !== "judged") return;
    enter("loading");
    const { status, data } = await following;
    if (state !== "loading") return;
    if (status === 204) return finish(t("calibration.done"));
    if (status !== 200) return fail("not loaded", status);
    example = data;
    present();
  }

  /** Leave out the examples that are left. The ballot does not wait for that to be stored. */
  function pass() {
    if (state === "over") return;
    post(`api/calibration/${example.number}`, { pass: true }).then(({ status }) => {
      if (status !== 204) complain("not passed over", status);
    });
    finish(t("calibration.passed"));
  }

  function fail(what, status) {
    complain(what, status);
    finish(t("calibration.failed"));
  }

  function complain(what, status) {
    console.warn(`worked example ${what}: ${status || "no answer"}`);
  }

  function finish(sentence) {
    enter("over");
    if (!one("#judge").hidden) swap("verdicts");
    // What explains the last example stays until the ballot comes.
    document.addEventListener("bakeoff:ballot", () => (one("#why").hidden = true), { once: true });
    one("#prompt").focus({ preventScroll: true });
    end(sentence);
  }

  function enter(next) {
    state = next;
    const arena = one("#arena");
    arena.dataset.state = next === "over" ? "loading" : next;
    arena.ariaBusy = String(next === "loading" || next === "over");
    one("#greeting").hidden = next !== "greeting";
    one("#prompt").hidden = one("#pair").hidden = one("#bar").hidden = next === "greeting";
    one("#pass_examples").hidden = next === "over";
    if (next !== "over") one("#why").hidden = next !== "judged" && next !== "loading";
    if (one("#undo")) one("#undo").hidden = true;
    if (next === "example") swap("judge");
    if (next === "judged") swap("after");
    one("#bar").dataset.state = { example: "voting", judged: "revealed" }[next] ?? next;
    for (const button of all("#judge button, #next")) {
      button.ariaDisabled = String(next === "sending" || next === "loading");
      if (next === "example") button.classList.remove("chosen");
    }
  }

  /** Show one row of the bar, and keep a double click from reaching what comes under the pointer. */
  function swap(row) {
    for (const each of ["verdicts", "judge", "after"]) one(`#${each}`).hidden = each !== row;
    one("#bar").classList.add("settling");
    setTimeout(() => one("#bar").classList.remove("settling"), SETTLE_MS);
  }

  function say(sentence) {
    one("#said").textContent = sentence;
  }

  function wire() {
    for (const button of all("[data-judge]")) button.addEventListener("click", () => judge(button.dataset.judge));
    one("#start").addEventListener("click", start);
    one("#next").addEventListener("click", next);
    for (const button of all("#pass, #pass_examples")) button.addEventListener("click", pass);
    document.addEventListener("keydown", onKey);
  }

  function start() {
    if (state === "greeting") present();
  }

  function onKey(event) {
    if (state === "over" || !isForPage(event)) return;
    const at = event.target;
    const key = event.key.toUpperCase();
    const arrow = at.closest(".text") ? undefined : ARROWS[event.key]; // in a text they scroll
    const button = one(`#judge [aria-keyshortcuts="${CSS.escape(arrow ?? key)}"]`);
    const isEnter = key === "ENTER" && !/^(BUTTON|A|SUMMARY)$/.test(at.tagName);
    const does =
      (button && state === "example" && (() => judge(button.dataset.judge))) ||
      (key === "S" && pass) ||
      (isEnter && state === "greeting" && start) ||
      (isEnter && state === "judged" && next);
    if (!does) return;
    event.preventDefault();
    does();
  }
})();
