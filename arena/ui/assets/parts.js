// What the page of two answers (ballot.js) and the page of a list (ranked.js) have in common.
"use strict";
bakeoff.parts = (() => {
  const { t, letters, one, all } = bakeoff;
  const SETTLE_MS = 350; // the bar's buttons change place under the pointer: a double click must not reach the new ones

  /** Refusals of a page that has to begin anew. */
  const RELOADS = /^(no_cookie|consent_needed)$/;

  /** What stands above a prompt: its category and its language. */
  function label({ category, language }) {
    return [t("arena.prompt"), category, bakeoff.nameOf(language ?? "")].filter(Boolean).join(" · ");
  }

  /** The conversation before the question, and the question. */
  function ask(messages) {
    one("#earlier").replaceChildren(...messages.slice(0, -1).map(turn));
    one("#earlier").hidden = messages.length < 2;
    one("#question").innerHTML = messages.at(-1)?.html ?? "";
  }

  function turn({ role, html }) {
    const [item, label, text] = ["li", "b", "div"].map((name) => document.createElement(name));
    label.textContent = t(`role.${role}`);
    text.className = "text";
    text.dir = "auto";
    text.innerHTML = html;
    item.append(label, text);
    return item;
  }

  /** Say in which language these texts are, where that is a language. */
  function speak(texts, language) {
    const isTag = bakeoff.isTag(language ?? "");
    for (const text of texts) isTag ? (text.lang = language) : text.removeAttribute("lang");
  }

  /** The words of a notice, which stands where there is nothing to vote on. */
  function notice(title, message, { done = false, reload = false }) {
    one("#notice h2").textContent = title;
    one("#notice p").textContent = message;
    one("#retry").textContent = t(reload ? "arena.reload" : done ? "arena.look_again" : "arena.retry");
    one("#retry").dataset.reload = reload;
    one("#retry").className = done ? "" : "go";
    one("#board-link").hidden = !done;
  }

  /** The ways to take back what was stored last, where there are any. */
  function offerUndo(last, isVoting) {
    if (!one("#undo")) return;
    one("#undo").hidden = !last;
    one("#undo_last").hidden = !last || !isVoting;
    one("#undo_left").hidden = !last;
  }

  function settle() {
    one("#bar").classList.add("settling");
    setTimeout(() => one("#bar").classList.remove("settling"), SETTLE_MS);
  }

  function count(votes) {
    if (!votes) return;
    const button = one("#aside button") ?? one("#aside").appendChild(document.createElement("button"));
    Object.assign(button, { id: "mine", type: "button", ariaHasPopup: "dialog", title: t("mine.open") });
    button.textContent = `${t("count.mine", { n: votes.mine })} · ${t("count.all", { n: votes.all })}`;
  }

  function say(sentence) {
    if (sentence) one("#said").textContent = sentence;
  }

  /** The sheet with the reasons of a skip, where the rules have one. */
  function wireSkip(ask, skip) {
    if (!one("#skip")) return;
    const sheet = one("#skip-sheet");
    const choose = ({ dataset }) => {
      sheet.close();
      skip(dataset.reason);
    };
    one("#skip").addEventListener("click", ask);
    for (const button of all("button[data-reason]", sheet)) button.addEventListener("click", () => choose(button));
    sheet.addEventListener("keydown", (event) => {
      const chosen = all("button[data-reason]", sheet)[Number(event.key) - 1];
      if (!chosen || event.repeat || event.ctrlKey || event.altKey || event.metaKey || letters.areOff()) return;
      event.preventDefault();
      choose(chosen);
    });
  }

  /** The bar grows when it has something to say, and must not hide the end of an answer then. */
  function makeRoom() {
    const measure = () => document.documentElement.style.setProperty("--bar-now", `${one("#bar").offsetHeight}px`);
    new ResizeObserver(measure).observe(one("#bar"));
  }

  return { RELOADS, label, ask, speak, notice, offerUndo, settle, count, say, wireSkip, makeRoom };
})();
