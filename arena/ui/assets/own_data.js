// What is kept of the voter, below the own votes: a file of all of it, and a way to take all votes back.
"use strict";
(() => {
  const { t, refused, post } = bakeoff;
  let told = ""; // what became of the last withdrawal, until the sheet is filled again

  /** The part of the sheet. `n` votes stand (undefined: not known); `refill` fills the sheet anew. */
  bakeoff.ownData = (n, refill) => {
    const part = made("section", "own-data");
    const acts = made("div", "row");
    const status = made("p", "", told);
    status.role = "status";
    told = "";
    acts.append(download());
    if (n !== 0) acts.append(button(t("mine.withdraw_all"), () => ask(n)));
    part.append(made("h3", "", t("mine.data")), made("p", "quiet", t("mine.data_note")), acts, status);
    return part;

    /** Ask once more, in place of the buttons. The harmless answer has the focus. */
    function ask(n) {
      const sure = made("div", "sure");
      const answers = made("div", "row");
      const no = button(t("mine.withdraw_no"), () => back());
      const yes = button(t("mine.withdraw_yes"), () => withdraw(yes));
      const why = made("p", "", n === undefined ? t("mine.withdraw_sure_all") : t("mine.withdraw_sure", { n }));
      why.id = "withdraw-why";
      sure.role = "group";
      sure.setAttribute("aria-labelledby", why.id);
      answers.append(no, yes);
      sure.append(why, answers);
      status.textContent = "";
      acts.replaceWith(sure);
      no.focus();
      sure.scrollIntoView({ block: "nearest" });

      function back() {
        sure.replaceWith(acts);
        acts.lastElementChild.focus();
      }
    }

    async function withdraw(pressed) {
      if (pressed.ariaDisabled === "true") return;
      pressed.ariaDisabled = "true";
      const { status: code, data } = await post("api/me/withdrawal", { all: true });
      pressed.ariaDisabled = "false";
      if (code !== 200) {
        status.textContent = data.error ? refused(data) : t("mine.unsure_withdrawal");
        return;
      }
      const sentence = t("mine.withdraw_done", { n: data.n_withdrawn });
      document.dispatchEvent(new CustomEvent("bakeoff:withdrawn", { detail: { votes: data.votes, sentence } }));
      told = sentence;
      const body = part.parentElement;
      await refill();
      const said = body.querySelector(".own-data [role=status]");
      if (!said) return;
      said.tabIndex = -1;
      said.focus(); // the button that was used is gone
    }
  };

  function download() {
    const link = made("a", "button", t("mine.download"));
    link.href = "api/me/votes";
    link.download = "";
    return link;
  }

  function button(text, act) {
    const it = made("button", "", text);
    it.type = "button";
    it.addEventListener("click", act);
    return it;
  }

  function made(name, className = "", text = "") {
    const it = document.createElement(name);
    if (className) it.className = className;
    if (text) it.textContent = text;
    return it;
  }
})();
