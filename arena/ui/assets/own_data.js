// What is kept of the voter, below the own votes: whether they may be published, a file of all that is kept, and a way
// to take all votes back.
"use strict";
(() => {
  const { t, refused, get, post, language } = bakeoff;
  let told = ""; // what became of the last withdrawal, until the sheet is filled again

  /** The part of the sheet. `n` votes stand (undefined: not known); `refill` fills the sheet anew. */
  bakeoff.ownData = (n, refill) => {
    const part = made("section", "own-data");
    const acts = made("div", "row");
    const status = made("p", "", told);
    status.role = "status";
    told = "";
    acts.append(download());
    if (n !== 0 || bakeoff.live) acts.append(button(t("mine.withdraw_all"), () => ask(n)));
    const consent = made("section", "consent");
    fillConsent(consent);
    part.append(consent, made("h3", "", t("mine.data")), made("p", "quiet", t("mine.data_note")), acts, status);
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
      const said = body.querySelector(".own-data > [role=status]");
      if (!said) return;
      said.tabIndex = -1;
      said.focus(); // the button that was used is gone
    }
  };

  /** What the voter said to publishing the votes, where that is or was asked, and buttons to say otherwise. */
  async function fillConsent(part) {
    const { status, data } = await get("api/me/consent");
    if (status === 200) showConsent(part, data);
  }

  function showConsent(part, { asked, said, n_votes: n }, sentence = "") {
    if (!asked && !said) return;
    const when = said && new Date(said.said_at).toLocaleString(language, { dateStyle: "medium", timeStyle: "short" });
    const stands = said ? t(said.given ? "mine.consent_yes" : "mine.consent_no", { when, n }) : t("mine.consent_none");
    const acts = made("div", "row");
    const status = made("p", "", sentence);
    status.role = "status";
    const act = (text, version, given) => acts.append(button(t(text), () => say(version, given)));
    if (asked && !(said?.given && said.version === asked.version)) act("mine.consent_give", asked.version, true);
    if (!said) act("mine.consent_refuse", asked.version, false);
    else if (said.given) act("mine.consent_take", (asked ?? said).version, false);
    part.replaceChildren(made("h3", "", t("mine.consent")), made("p", "", stands));
    if (asked && bakeoff.terms) {
      const [text, line, about] = [made("div", "text"), made("p", "quiet"), made("details")];
      text.dir = "auto";
      bakeoff.terms(text, line, asked);
      about.append(made("summary", "", t("mine.consent_terms")), text, line);
      part.append(about);
    }
    part.append(acts, status);
    return status;

    async function say(version, given) {
      if (acts.ariaDisabled === "true") return;
      acts.ariaDisabled = "true";
      const { status: code, data } = await post("api/me/consent", { version, given });
      acts.ariaDisabled = "false";
      if (code !== 200) {
        status.textContent = data.error ? refused(data) : t("consent.unsure");
        return;
      }
      const told = showConsent(part, data, t(given ? "mine.consent_given" : "mine.consent_taken"));
      told.tabIndex = -1;
      told.focus(); // the button that was used is gone
    }
  }

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
