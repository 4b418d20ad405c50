// Thumbs: of each answer by itself whether it is good, where the arena asks for it. Set before the verdict, or never.
//
// The buttons come from the server (arena/ui/labels.py); one of an answer's two is pressed, or none. ballot.js says when
// they may be pressed, asks what they say when the vote is sent, and empties them for the next ballot.
"use strict";
bakeoff.thumbs = (() => {
  const { t, one, all } = bakeoff;
  let isHeld = true;

  function wire() {
    for (const button of all(".thumb")) button.addEventListener("click", () => toggle(button));
  }

  /** Press a thumb, and with it no other one of its answer; pressed again it is taken back. */
  function toggle(button) {
    if (isHeld) return;
    const isPressed = button.ariaPressed === "true";
    for (const each of all(".thumb", button.closest(".thumbs"))) each.ariaPressed = String(each === button && !isPressed);
    // Who uses a key hears it here; who is on the button, from the button.
    if (document.activeElement !== button) bakeoff.parts.say(isPressed ? t("thumbs.taken", { what: button.ariaLabel }) : button.ariaLabel);
  }

  /** The thumb that a key stands for. */
  function ofKey(event) {
    const key = bakeoff.keyOf(event);
    return /^[a-z]$/i.test(key) ? one(`.thumb[aria-keyshortcuts="${key.toUpperCase()}"]`) : null;
  }

  /** While there is no ballot to judge they stay as they are, and can be read. */
  function hold(held) {
    isHeld = held;
    for (const button of all(".thumb")) button.ariaDisabled = String(held);
  }

  function reset() {
    for (const button of all(".thumb")) button.ariaPressed = "false";
  }

  /** What was pressed, as the server takes it; nothing where nothing was. */
  function read() {
    const said = [...all('.thumb[aria-pressed="true"]')].map((button) => [button.closest(".thumbs").dataset.side, button.dataset.thumb]);
    return said.length ? { thumbs: Object.fromEntries(said) } : {};
  }

  return { wire, toggle, ofKey, hold, reset, read };
})();
