// The ballot: fetch it, show it, send one verdict, show whose answers they were, go on.
//
// The ballot is asked for at once, while Gradio is still loading, and shown as soon as Gradio has put the shell of
// arena/ui/arena_page.py on the page. Before a vote is stored this script knows two texts and an opaque id.
"use strict";
(() => {
  const KEYS = { a: "A", b: "B", t: "tie", n: "both_bad" };
  const PATIENCE_MS = 20_000;
  const SETTLE_MS = 350; // the bar's buttons change place under the pointer: a double click must not reach the new ones
  const UNREACHABLE = "The server cannot be reached. Check your connection and try again.";
  const UNSURE = "The server did not answer, so your vote may not be saved. Send it again: it counts once.";

  // loading -> voting -> sending -> revealed -> loading; sending -> voting when it failed; notice: nothing to vote on
  let state = "loading";
  let ballot = null; // the one on the page
  let lastVerdict = null; // what "Try again" sends again

  const first = post("api/ballots", {});
  present("#arena").then(() => {
    wire();
    show(first);
  });

  // ---- the server ----

  /** POST JSON. Never throws: status 0 means that no answer came. */
  async function post(path, body) {
    try {
      const response = await fetch(path, {
        method: "POST",
        headers: { "Content-Type": "application/json", Accept: "application/json" },
        body: JSON.stringify(body),
        cache: "no-store",
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      return { status: response.status, data: await response.json() };
    } catch {
      return { status: 0, data: {} };
    }
  }

  /** Wait for a ballot and show it, or say why there is none. */
  async function show(request, notice = "") {
    enter("loading");
    const { status, data } = await request;
    if (status === 200 && data.ballot) {
      count(data.votes);
      enter("voting");
      trouble(notice);
      render(data.ballot, data.votes);
      say(notice || (ballot ? "Next ballot." : ""));
      ballot = data.ballot;
      lastVerdict = null;
      return;
    }
    const titles = {
      arena_empty: "Nothing to compare yet",
      no_ballot_left: "All judged",
      no_cookie: "This browser is not known here",
    };
    const done = data.error === "no_ballot_left";
    tell(titles[data.error] ?? "The arena does not answer", data.message ?? UNREACHABLE, { done, reload: data.error === "no_cookie" });
  }

  async function vote(verdict) {
    if (state !== "voting") return;
    lastVerdict = verdict;
    enter("sending");
    for (const button of all("#verdicts button")) button.classList.toggle("chosen", button.dataset.verdict === verdict);
    const { status, data } = await post(`api/ballots/${encodeURIComponent(ballot.ballot_id)}/vote`, { verdict });
    if (status === 200) return reveal(data);
    if (status === 409) return pass(data.message); // another tab was first; the names stay hidden
    if (status === 404 || status === 410) return show(post("api/ballots", {}), data.message);
    if (data.error === "no_cookie") return tell("This browser is not known here", data.message, { reload: true });
    enter("voting");
    trouble(data.message ?? UNSURE, { canResend: true });
    say(`Not saved. ${data.message ?? UNSURE}`);
  }

  // ---- what the page shows ----

  function render(next, votes) {
    const language = next.language ?? "";
    const isTag = /^[a-z]{2,3}(-[a-z0-9]{2,8})*$/i.test(language);
    const words = ["Prompt", next.category, isTag ? nameOf(language) : language];
    one("#prompt-label").textContent = words.filter(Boolean).join(" · ");

    const turns = next.messages.map(turn);
    one("#question").innerHTML = next.messages.at(-1)?.html ?? "";
    one("#earlier").replaceChildren(...turns.slice(0, -1));
    one("#earlier").hidden = turns.length < 2;
    for (const [side, html] of [["a", next.answer_a], ["b", next.answer_b]]) {
      const answer = one(`#${side}`);
      answer.classList.remove("won");
      one(".text", answer).innerHTML = html;
      one(".text", answer).scrollTop = 0;
      one(".name", answer).textContent = "";
      one(".score", answer).textContent = "";
    }
    for (const text of all("#arena .text")) isTag ? (text.lang = language) : text.removeAttribute("lang");
    one("#welcome").hidden = votes?.mine !== 0 || ballot !== null || !one("#welcome").textContent.trim();
    fold(true);
    one("#earlier").scrollTop = one("#earlier").scrollHeight;
    window.scrollTo(0, 0);
    if (ballot) one("#prompt").focus({ preventScroll: true });
  }

  function turn({ role, html }) {
    const item = document.createElement("li");
    const label = document.createElement("b");
    label.textContent = { user: "User", assistant: "Assistant", system: "System" }[role] ?? role;
    const text = document.createElement("div");
    text.className = "text";
    text.dir = "auto";
    text.innerHTML = html;
    item.append(label, text);
    return item;
  }

  function reveal(data) {
    const sides = { a: data.a, b: data.b };
    for (const [side, contender] of Object.entries(sides)) {
      const answer = one(`#${side}`);
      answer.classList.toggle("won", data.verdict === side.toUpperCase());
      one(".name", answer).textContent = contender.name;
      one(".name", answer).title = contender.organization ?? "";
      one(".score", answer).textContent = standing(contender);
    }
    after(`✓ Saved: ${data.saved}.`, `A was ${data.a.name}, B was ${data.b.name}.`, "saved");
    count(data.votes);
    say(`Saved: ${data.saved}. Answer A was ${spoken(data.a)}. Answer B was ${spoken(data.b)}.`);
  }

  /** The ballot was voted on elsewhere: say so and offer the next one. */
  function pass(message) {
    after(message, "", "quiet");
    say(message);
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
    if (state !== "revealed") return;
    // Only now: a ballot that was opened while the last names were still being read would count that time as judging.
    show(post("api/ballots", {}));
  }

  function tell(title, message, { done = false, reload = false }) {
    one("#notice h2").textContent = title;
    one("#notice p").textContent = message;
    one("#retry").textContent = reload ? "Load the page again" : done ? "Look again" : "Try again";
    one("#retry").dataset.reload = reload;
    one("#retry").className = done ? "" : "go";
    one("#board-link").hidden = !done;
    enter("notice");
    one("#notice").focus({ preventScroll: true });
    say(`${title}. ${message}`);
  }

  /** A line above the buttons; with `canResend` it offers to send the same verdict again. */
  function trouble(message, { canResend = false } = {}) {
    one("#trouble span").textContent = message;
    one("#trouble").hidden = !message;
    one("#trouble").classList.toggle("bad", canResend);
    one("#resend").hidden = !canResend;
  }

  function enter(next) {
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
    if (next === "voting" || next === "revealed") settle();
    one("#bar").dataset.state = next;
    for (const button of all("#bar button")) {
      // Not `disabled`: that would take the focus away from the button that was just used.
      button.ariaDisabled = String(next === "sending" || next === "loading");
      if (next === "voting") button.classList.remove("chosen");
    }
  }

  function settle() {
    one("#bar").classList.add("settling");
    setTimeout(() => one("#bar").classList.remove("settling"), SETTLE_MS);
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
    button.textContent = isFolded ? "Show the whole prompt" : "Show less of the prompt";
  }

  function count(votes) {
    if (!votes) return;
    const mine = `${votes.mine.toLocaleString("en")} ${votes.mine === 1 ? "vote" : "votes"} by you`;
    one("#aside").textContent = `${mine} · ${votes.all.toLocaleString("en")} in all`;
  }

  function say(sentence) {
    if (sentence) one("#said").textContent = sentence;
  }

  function standing({ score, low, high, rank_low, rank_high }) {
    if (score === null) return "not rated yet";
    const interval = low === null || high === null ? "" : ` (${whole(low)} to ${whole(high)})`;
    return `${whole(score)}${interval} · ${ranks(rank_low, rank_high, "–")}`;
  }

  function spoken(contender) {
    const { name, score, rank_low, rank_high } = contender;
    return score === null ? `${name}, not rated yet` : `${name}, score ${whole(score)}, ${ranks(rank_low, rank_high, " to ")}`;
  }

  function ranks(low, high, dash) {
    if (low === null || high === null) return "not ranked";
    return `rank ${low === high ? low : `${low}${dash}${high}`}`;
  }

  function whole(number) {
    return Math.round(number).toLocaleString("en");
  }

  function nameOf(language) {
    try {
      return new Intl.DisplayNames(["en"], { type: "language" }).of(language);
    } catch {
      return language;
    }
  }

  // ---- mouse, keys and the page itself ----

  function wire() {
    for (const button of all("#verdicts button")) button.addEventListener("click", () => vote(button.dataset.verdict));
    one("#resend").addEventListener("click", () => vote(lastVerdict));
    one("#next").addEventListener("click", next);
    one("#retry").addEventListener("click", (event) => {
      if (event.currentTarget.dataset.reload === "true") return location.reload(); // the page brings the cookie
      show(post("api/ballots", {}));
    });
    one("#unfold").addEventListener("click", () => fold(one("#prompt").classList.contains("unfolded")));
    document.addEventListener("keydown", onKey);
    // The bar grows when it has something to say, and must not hide the end of an answer then.
    const makeRoom = () => document.documentElement.style.setProperty("--bar-now", `${one("#bar").offsetHeight}px`);
    new ResizeObserver(makeRoom).observe(one("#bar"));
  }

  function onKey(event) {
    if (event.defaultPrevented || event.repeat || event.isComposing) return;
    if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
    const at = event.target;
    if (at.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName)) return;
    const verdict = KEYS[event.key.toLowerCase()];
    if (verdict && state === "voting") {
      event.preventDefault();
      vote(verdict);
    } else if (event.key === "Enter" && state === "revealed" && !/^(BUTTON|A|SUMMARY)$/.test(at.tagName)) {
      event.preventDefault();
      next();
    }
  }

  /** The element, once it is on the page. */
  function present(selector) {
    return new Promise((resolve) => {
      const look = () => document.querySelector(selector);
      if (look()) return resolve(look());
      const observer = new MutationObserver(() => {
        if (!look()) return;
        observer.disconnect();
        resolve(look());
      });
      observer.observe(document.documentElement, { childList: true, subtree: true });
    });
  }

  function one(selector, within = document) {
    return within.querySelector(selector);
  }

  function all(selector) {
    return document.querySelectorAll(selector);
  }
})();
