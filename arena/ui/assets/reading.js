// How answers are read: code with a button that copies it, and two long answers that scroll together if the voter wants.
"use strict";
(() => {
  const { t, isForPage, present, one, all } = bakeoff;
  const TOGETHER = "bakeoff-together"; // for this visit: the tab's own storage
  const COPIED_MS = 1600;

  let moved = null; // the answer that was scrolled by the other one, and not by the voter

  present("#together").then((button) => {
    for (const text of all(".answer > .text")) text.addEventListener("scroll", () => follow(text), { passive: true });
    button.addEventListener("click", () => setTogether(!isTogether()));
    document.addEventListener("keydown", (event) => {
      if (event.key.toLowerCase() !== "l" || !isForPage(event)) return;
      event.preventDefault();
      setTogether(!isTogether());
    });
    document.addEventListener("bakeoff:ballot", dress);
    mark();
    dress();
  });

  function isTogether() {
    return sessionStorage.getItem(TOGETHER) === "yes";
  }

  function setTogether(wanted) {
    sessionStorage.setItem(TOGETHER, wanted ? "yes" : "no");
    mark();
    if (wanted) follow(one("#a .text"));
  }

  function mark() {
    one("#together").ariaPressed = String(isTogether());
  }

  /** Bring the other answer to the same part of its way. */
  function follow(text) {
    if (moved === text) {
      moved = null;
      return;
    }
    if (!isTogether()) return;
    const other = one(text.closest("#a") ? "#b .text" : "#a .text");
    const way = text.scrollHeight - text.clientHeight;
    const goal = Math.round(((other.scrollHeight - other.clientHeight) * text.scrollTop) / (way || 1));
    if (Math.abs(other.scrollTop - goal) < 1) return;
    moved = other;
    other.scrollTop = goal;
  }

  /** Give each block of code its button. */
  function dress() {
    moved = null;
    for (const code of all("#arena .text pre")) {
      if (code.parentElement.className === "code") continue;
      const frame = document.createElement("div");
      frame.className = "code";
      const button = document.createElement("button");
      button.type = "button";
      button.className = "copy";
      button.textContent = t("code.copy");
      button.addEventListener("click", () => copy(code, button));
      code.replaceWith(frame);
      frame.append(code, button);
    }
  }

  async function copy(code, button) {
    const isDone = await toClipboard(code.textContent, code);
    button.textContent = t(isDone ? "code.copied" : "code.not_copied");
    one("#said").textContent = button.textContent;
    setTimeout(() => (button.textContent = t("code.copy")), COPIED_MS);
  }

  async function toClipboard(text, element) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // Not a secure address, or not allowed in this frame: the older way, by way of a selection.
      getSelection().selectAllChildren(element);
      return document.execCommand("copy");
    }
  }
})();
