// What a voter says beside the verdict: the panel that a chosen verdict opens, where the arena asks for more.
//
// The panel comes from the server (arena/ui/labels.py): each fieldset names the label that it is for. ballot.js opens it,
// asks what it says when the vote is sent, and empties it for the next ballot. Nothing in it is required.
"use strict";
bakeoff.labels = (() => {
  const { t, one, all } = bakeoff;
  const READS = {
    number: (field) => known(chosen(field), Number),
    truth: (field) => known(chosen(field), (value) => value === "yes"),
    word: (field) => chosen(field),
    many: (field) => some([...all("input:checked", field)].map(({ value }) => value)),
    text: (field) => clean(one("textarea", field).value) || undefined,
  };

  let left = null; // the field that had the focus when the vote was sent

  /** `save` sends the vote, `back` goes back to choosing a verdict. */
  function wire({ save, back }) {
    const form = one("#labels");
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      save();
    });
    one("#back").addEventListener("click", back);
    form.addEventListener("change", ({ target }) => showClear(target.closest("fieldset")));
    one(".fields", form).addEventListener("scroll", showMore, { passive: true });
    new ResizeObserver(showMore).observe(one(".fields", form));
    // In the comment a plain Enter is a line break.
    form.addEventListener("focusin", ({ target }) => { one("#save kbd").textContent = target.matches("textarea") ? "Ctrl Enter" : "Enter"; });
    for (const button of all(".clear", form)) button.addEventListener("click", () => clear(button.closest("fieldset")));
    form.addEventListener("keydown", (event) => {
      if (event.isComposing || event.repeat) return;
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        save();
      } else if (/^(radio|checkbox)$/.test(event.target.type) || numbered(event.target)) press(event);
    });
    document.addEventListener("keydown", (event) => {
      const isIt = event.key === "Escape" && isOpen() && !event.isComposing && !event.repeat && !one("dialog[open]");
      if (!isIt) return;
      event.preventDefault();
      back();
    });
  }

  /**
   * Letters and digits mean nothing to radio buttons and boxes: there they still choose a verdict. But where a number is
   * asked for, a digit is that number, or nothing, and never a step of the bar.
   */
  function press(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey || bakeoff.letters.areOff()) return;
    const key = bakeoff.keyOf(event);
    const field = /^\d$/.test(key) ? numbered(event.target) : null;
    const wanted = field ? one(`input[value="${key}"]`, field) : (bakeoff.barButton(event) ?? bakeoff.thumbs?.ofKey(event));
    if (field || wanted) event.preventDefault();
    if (field) wanted?.focus();
    wanted?.click();
  }

  /** The field around an element, if it asks for a number. */
  function numbered(element) {
    return element.closest("[data-kind=number]");
  }

  /** Show what goes with a verdict; `told` is that verdict in words. */
  function open(verdict, told) {
    const form = one("#labels");
    const isNew = form.hidden;
    const isDecisive = verdict === "A" || verdict === "B";
    one("#labels-title b").textContent = t("labels.chosen", { verdict: told });
    for (const field of all("[data-of-better]", form)) field.hidden = !isDecisive;
    const acceptable = one("[data-label=acceptable] legend span", form);
    if (acceptable && isDecisive) acceptable.textContent = t(`labels.acceptable.${verdict}`);
    for (const field of all("fieldset", form)) showClear(field);
    form.hidden = false;
    if (isNew) makeRoom(form);
    showMore();
    const isLost = form.contains(document.activeElement) && document.activeElement.closest("[hidden]");
    if (isNew || isLost) focusFirst(form);
  }

  /** The panel from its beginning; beside each other, the answers right above it. */
  function makeRoom(form) {
    one(".fields", form).scrollTop = 0;
    const isWide = matchMedia("(min-width: 721px)").matches;
    const toEnd = () => scrollTo(0, document.documentElement.scrollHeight);
    if (isWide) requestAnimationFrame(() => requestAnimationFrame(toEnd)); // first the page makes room for the bar
  }

  /** The panel fades at the end below which it goes on: on a telephone that is seldom cut through a line. */
  function showMore() {
    const fields = one("#labels .fields");
    fields.classList.toggle("continued", fields.scrollHeight - fields.clientHeight - fields.scrollTop > 8);
  }

  function focusFirst(form) {
    const first = [...all("input, textarea", form)].find((field) => !field.closest("[hidden]"));
    (first ?? one("#save")).focus({ preventScroll: true });
  }

  function isOpen() {
    return !one("#labels").hidden;
  }

  function hide() {
    one("#labels").hidden = true;
  }

  /**
   * While a vote is on its way nothing can be entered that would not go along. The focus waits on the button, and goes
   * back to its field if the panel is still open then.
   */
  function hold(isHeld) {
    const fields = one("#labels .fields");
    if (isHeld === fields.inert) return;
    const focused = document.activeElement;
    if (isHeld) {
      left = fields.contains(focused) ? focused : null;
      if (left) one("#save").focus({ preventScroll: true });
    }
    fields.inert = isHeld;
    if (!isHeld && focused === one("#save")) left?.focus({ preventScroll: true });
  }

  /** Forget all that was entered. */
  function reset() {
    one("#labels").reset();
  }

  /** What was entered, as the server takes it: only what was said, and what goes with the verdict. */
  function read() {
    const labels = {};
    for (const field of all("#labels fieldset:not([hidden])")) {
      const { label, key, kind } = field.dataset;
      const value = READS[kind](field);
      if (value === undefined) continue;
      if (key === undefined) labels[label] = value;
      else labels[label] = { ...labels[label], [key]: value };
    }
    return labels;
  }

  function chosen(field) {
    return one("input:checked", field)?.value;
  }

  function known(value, parse) {
    return value === undefined ? undefined : parse(value);
  }

  function some(values) {
    return values.length ? values : undefined;
  }

  /** Text without what a paste may bring along unseen, and the server would refuse; nothing if it is all blank. */
  function clean(text) {
    const shown = text.replace(/\p{Surrogate}/gu, "\uFFFD").replace(/[^\P{Cc}\n\t]/gu, "");
    return shown.trim() ? shown : "";
  }

  /** A choice of one can be taken back by a button, which is there when there is something to take back. */
  function showClear(field) {
    const button = one(".clear", field);
    if (!button) return;
    button.hidden = chosen(field) === undefined;
    button.ariaLabel = t("labels.clear", { what: one("legend", field).textContent.trim() });
  }

  function clear(field) {
    for (const input of all("input", field)) input.checked = false;
    showClear(field);
    one("input", field).focus();
  }

  return { wire, open, isOpen, hide, hold, reset, read };
})();
