// What a vote opens, in words: a model's place on the board, and how others voted on the two. ballot.js shows it.
"use strict";
bakeoff.reveal = (() => {
  const { t, number } = bakeoff;

  function standing({ score, low, high, rank_low, rank_high }) {
    if (score === null) return t("model.unrated");
    const values = { score: whole(score), low: whole(low), high: whole(high) };
    const interval = low === null || high === null ? values.score : t("model.interval", values);
    return `${interval} · ${ranks(rank_low, rank_high, "model.ranks")}`;
  }

  function spoken({ name, score, rank_low, rank_high }) {
    if (score === null) return `${name}, ${t("model.unrated")}`;
    return `${name}, ${t("model.score", { score: whole(score) })}, ${ranks(rank_low, rank_high, "model.ranks_said")}`;
  }

  function ranks(low, high, range) {
    if (low === null || high === null) return t("model.unranked");
    return low === high ? t("model.rank", { rank: low }) : t(range, { low, high });
  }

  function whole(value) {
    return value === null ? "" : number(Math.round(value));
  }

  /** How others voted on these two models, wherever each stood. */
  function ofOthers(others) {
    if (!others) return "";
    const share = (n) => number(n / others.n, { style: "percent" });
    return t("arena.others", { n: others.n, a: share(others.a), b: share(others.b), neither: share(others.neither) });
  }

  return { standing, spoken, ofOthers };
})();
