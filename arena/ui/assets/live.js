// Prompts of the voter's own: ask for one, show both answers as they come in, and hand the ballot on to ballot.js.
//
// On the page only where the pack has it so. ballot.js hands over what the server says of its next ballot, and gets one
// back once there is something to judge. Until then this script has the page.
"use strict";
bakeoff.live = (() => {
  const { t, knows, post, refused, fill, one, all } = bakeoff;

  let text = ""; // what was put last, so that it can be put again
  let isWired = false;
  let choose = null; // what the voter does with the empty page: a prompt, or null for the bank
  let request = null; // the battle that is coming in

  /** The ballot that the server has told of; else one of a prompt that the voter types now, or of the bank. */
  async function ballot(request) {
    const { status, data } = await request;
    if (status !== 200 || data.ballot) return { status, data };
    wire();
    one("#from_bank").hidden = !data.has_bank;
    bakeoff.parts.count(data.votes);
    return compose("", "");
  }

  /** Let the voter type, from this text on, and ask. `told` is what became of the last time. */
  async function compose(start, told) {
    one("#own").value = start;
    one("#compose-trouble").textContent = told;
    one("#compose-trouble").classList.toggle("quiet", told === t("live.stopped"));
    show("composing");
    window.scrollTo(0, 0);
    one("#own").focus({ preventScroll: true });
    const chosen = await new Promise((resolve) => (choose = resolve));
    choose = null;
    if (chosen !== null) return put(chosen);
    show("loading");
    return post("api/ballots", {});
  }

  /** Put a prompt to two models, and show what they say. Resolves with a ballot; else the voter is asked again. */
  async function put(prompt) {
    text = prompt;
    request = new AbortController();
    lay(prompt);
    show("coming");
    bakeoff.parts.say(t("live.coming"));
    let last = {};
    try {
      for await (const line of linesOf("api/live", { text: prompt }, request.signal)) {
        if (line.a) one("#a .text").append(line.a);
        if (line.b) one("#b .text").append(line.b);
        last = line;
      }
    } catch (error) {
      last = { error: request.signal.aborted ? "stopped" : "silent" };
      if (last.error === "silent") console.warn(`live battle broken off: ${error}`);
    }
    request = null;
    if (!last.ballot && !last.closed) last = await stored(last);
    if (last.ballot) {
      show("loading");
      offerRenewal(true);
      return { status: 200, data: last };
    }
    return compose(prompt, why(last));
  }

  /** The ballot, where it was stored before the connection broke off; else what was known before. */
  async function stored(last) {
    const { status, data } = await post("api/live/open", {});
    return status === 200 && data.ballot ? data : last;
  }

  function why(last) {
    if (last.closed) return t("live.closed");
    if (knows(`live.${last.error}`)) return t(`live.${last.error}`);
    return last.error ? refused(last) : t("live.silent");
  }

  /** The lines of an answer, as they come. A refusal is a line as well. */
  async function* linesOf(path, body, signal) {
    const headers = { "Content-Type": "application/json", Accept: "application/x-ndjson" };
    const response = await fetch(path, { method: "POST", headers, body: JSON.stringify(body), signal, cache: "no-store" });
    if (!response.ok) return yield await response.json();
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const lines = (rest + value).split("\n");
      rest = lines.pop();
      for (const line of lines) yield JSON.parse(line);
    }
  }

  /** The page of a ballot whose answers are still to come. */
  function lay(prompt) {
    one("#prompt-label").textContent = t("arena.prompt");
    one("#earlier").hidden = one("#unfold").hidden = true;
    one("#prompt").classList.remove("long");
    one("#question").textContent = prompt;
    for (const answer of all(".answer")) {
      answer.classList.remove("won");
      one(".name", answer).textContent = one(".score", answer).textContent = "";
      one(".text", answer).replaceChildren();
    }
    bakeoff.parts.speak(all("#arena .text"), null);
  }

  /** composing: the empty page; coming: both answers come in; loading: ballot.js has the page again. */
  function show(state) {
    const isComposing = state === "composing";
    one("#arena").dataset.state = state;
    one("#arena").ariaBusy = String(state !== "composing");
    one("#compose").hidden = !isComposing;
    one("#prompt").hidden = one("#pair").hidden = one("#bar").hidden = isComposing;
    one("#coming").hidden = state !== "coming";
    one("#stop").ariaDisabled = null;
    if (isComposing) bakeoff.parts.say(" ");
    one("#verdicts").hidden = state === "coming";
    one("#after").hidden = true;
    one("#welcome").hidden = !isComposing || !one("#welcome").textContent.trim();
    offerRenewal(false);
  }

  /** Where a ballot may be closed without a vote, its prompt can be put once more. */
  function offerRenewal(isOffered) {
    if (one("#renew")) one("#renew").hidden = !isOffered;
  }

  function wire() {
    if (isWired) return;
    isWired = true;
    for (const part of ["#compose", "#coming"]) fill(one(part));
    one("#put").addEventListener("click", ask);
    one("#from_bank").addEventListener("click", () => choose?.(null));
    one("#stop").addEventListener("click", () => request?.abort());
    one("#own").addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.isComposing || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      ask();
    });
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && request && !one("dialog[open]")) request.abort();
    });
  }

  function ask() {
    const prompt = one("#own").value.trim();
    if (prompt) return choose?.(prompt);
    one("#compose-trouble").textContent = t("refusal.prompt_empty");
    one("#own").focus();
  }

  /** Put the same prompt once more; not before ballot.js has given the page over. */
  function again() {
    return Promise.resolve().then(() => put(text));
  }

  /** Whether the voter is typing, or both answers are coming in: then the ballot's script leaves the page alone. */
  function hasPage() {
    return choose !== null || request !== null;
  }

  return { ballot, again, hasPage, offerRenewal };
})();
