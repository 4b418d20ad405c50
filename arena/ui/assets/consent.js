// Before the first ballot: may this voter's votes be published? On the page only where the pack asks.
//
// It runs after calibration.js and before ballot.js, and puts itself first: `bakeoff.before` is the function that greets
// the voter (see there). Whoever has answered is not asked again; what cannot be asked counts as no, which is what the
// server takes it for.
"use strict";
(() => {
  const { t, get, post, refused, fill, isForPage, one, all } = bakeoff;
  const PATIENCE_MS = 4000; // an arena that is slow to answer lets people vote

  const after = Promise.resolve(bakeoff.before); // the worked examples, if there are any
  let asked = null; // the terms, while the question is on the page
  let end = null;

  bakeoff.before = Promise.all([question(), after]).then(([terms, greet]) => {
    if (!terms) return greet;
    return async (render) => {
      const sentence = await ask(terms);
      return greet ? greet(render) : sentence;
    };
  });

  /** Put terms on the page: the host's own words, and in the reader's language what they come to. */
  bakeoff.terms = (text, line, { html, language, license, license_page: page, purpose }) => {
    text.innerHTML = html; // made on the server, where it can do nothing but be read
    if (language) text.lang = language;
    const [before, after] = t(`consent.terms.${purpose}`, { license: "\n" }).split("\n");
    line.replaceChildren(before, page ? linked(license, page) : license, after);
  };

  /** The licence's name, which opens its text beside the question. */
  function linked(name, page) {
    const link = document.createElement("a");
    Object.assign(link, { href: page, textContent: name, target: "_blank", rel: "noopener noreferrer" });
    return link;
  }

  /** The terms that this voter is to be asked about; null where there is nothing to ask. */
  async function question() {
    const tooLate = new Promise((resolve) => setTimeout(resolve, PATIENCE_MS, { status: 0, data: {} }));
    const { status, data } = await Promise.race([get("api/me/consent"), tooLate]);
    if (status !== 200) {
      console.warn(`consent not asked for: ${status || "no answer"}`);
      return null;
    }
    const { asked: terms, said } = data;
    if (!terms || (said?.version === terms.version && (said.given || !terms.required))) return null;
    return terms;
  }

  /** Put the question on the page. Resolves with a sentence for the first ballot once it is answered. */
  function ask(terms) {
    asked = terms;
    fill(one("#asking"));
    bakeoff.terms(one("#asking-text"), one("#asking-terms"), terms);
    one("#asking-no").textContent = t(terms.required ? "consent.required" : "consent.note");
    one("#say-yes").addEventListener("click", () => say(true));
    one("#say-no").addEventListener("click", () => say(false));
    document.addEventListener("keydown", onKey);
    show(true);
    one("#asking").focus({ preventScroll: true });
    window.scrollTo(0, 0);
    return new Promise((resolve) => (end = resolve));
  }

  function show(isShown) {
    one("#arena").dataset.state = isShown ? "asking" : "loading";
    one("#arena").ariaBusy = String(!isShown);
    one("#asking").hidden = !isShown;
    one("#prompt").hidden = one("#pair").hidden = one("#bar").hidden = isShown;
  }

  async function say(given) {
    if (!asked || one("#say-yes").ariaDisabled === "true") return;
    hold(true);
    one("#asking-trouble").textContent = "";
    const { status, data } = await post("api/me/consent", { version: asked.version, given });
    hold(false);
    if (status !== 200) {
      one("#asking-trouble").textContent = data.error ? refused(data) : t("consent.unsure");
      return;
    }
    asked = null;
    document.removeEventListener("keydown", onKey);
    show(false);
    one("#prompt").focus({ preventScroll: true });
    end(t(given ? "consent.said_yes" : "consent.said_no"));
  }

  function hold(isHeld) {
    for (const button of all("#asking button")) button.ariaDisabled = String(isHeld);
  }

  function onKey(event) {
    const given = { 1: true, 2: false }[/^Digit(\d)$/.exec(event.code)?.[1] ?? event.key];
    if (given === undefined || !isForPage(event)) return;
    event.preventDefault();
    say(given);
  }
})();
