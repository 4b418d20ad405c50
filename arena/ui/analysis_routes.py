"""What the routes behind the Analysis page tell, in words, for the description of the public routes."""

from collections.abc import Mapping

_ID = "A model's id, as /api/analysis lists them."

# Routes behind the Analysis page: what each tells, its parameters, and the keys of its answer beside `snapshot`.
ANALYSES: Mapping[str, tuple[str, Mapping[str, str], Mapping[str, str]]] = {
    "/api/analysis": (
        "The board in short, and its models, by whose ids the other routes speak of them.",
        {},
        {
            "computed_at": "When the snapshot was computed.",
            "n_log": "How many entries of the log it read.",
            "n_votes": "The votes counted.",
            "confidence": "Of all intervals.",
            "method": "How the board was computed.",
            "intervals": "Where the board's intervals come from, in words.",
            "is_plain": "Whether the analyses are about the board's own numbers: both of the next.",
            "plain_scores": "Whether its scores are plain Bradley-Terry.",
            "plain_intervals": "Whether its intervals come from the formula (sandwich) that the analyses use.",
            "models": "In the order of the board: id, name, score, interval, ranks, votes.",
        },
    ),
    "/api/analysis/head-to-head": (
        "Any two rated models, face to face.",
        {"a": _ID, "b": _ID},
        {
            "found": "The chance that a is preferred, the points between them, the votes that would settle it.",
            "record": "Of a against b: won, lost, ties, both bad.",
            "decision": "By the votes on just these two: a, b, no_difference or undecided.",
            "by_voter": "Whether voters are known, so that of each only the first vote counts for the decision.",
        },
    ),
    "/api/analysis/matrix": (
        "Every pair of the first hundred models that met.",
        {},
        {
            "models": "Their ids, in the order of the board.",
            "n_models": "How many models the board has.",
            "counts_both_bad": "Whether a both-bad verdict is a tie, or no vote.",
            "cells": "Two places in models, and the record of the first: won, lost, ties, both bad.",
        },
    ),
    "/api/analysis/history": (
        "What the boards on the way to this one said.",
        {},
        {
            "boards": "Snapshot, time, entries of the log; at most 60.",
            "scores": "Of each model: score, low and high at each board, or null.",
        },
    ),
    "/api/analysis/collection": (
        "How the votes came in.",
        {},
        {
            "votes": "By day, week or month.",
            "n_votes": "The votes counted.",
            "shown": "In how many of the votes each model stood.",
            "expected_share": "Of the votes, had all models stood on all prompts all the time and been drawn evenly.",
            "policies": "How pairs were drawn, and the votes of each way; null: not known.",
            "withdrawals": "How many votes were withdrawn, of how many, by how many voters; and by model, with a test "
            "of its wins and losses being withdrawn equally often.",
        },
    ),
    "/api/analysis/position": (
        "Whether it helps to stand on side A.",
        {},
        {
            "side_a": "The share that side A won.",
            "order": "The same in logits, the models' strengths taken out, or null.",
            "sides_drawn": "Whether every counted vote tells how its pair was drawn; else who drew sides is not known.",
        },
    ),
    "/api/analysis/style": (
        "What the dress of an answer is worth. It reads every text: of many votes it takes a while.",
        {},
        {
            "longer": "The share that the longer answer won.",
            "by_length": "The same by how many times longer: more than, up to, share.",
            "coefficients": "Each feature in logits, models being equal.",
            "notes": "What the votes do not tell.",
        },
    ),
    "/api/analysis/agreement": (
        "How often two voters who judged the same two answers said the same.",
        {},
        {
            "all": "Over all four verdicts: value, interval, pairs of votes, pairs of answers; or the reason for null.",
            "decisive": "The same over the verdicts that prefer one of the two answers.",
            "alpha": "Krippendorff's nominal alpha over A, B and neither: chance taken out, with its band.",
            "n_items": "Pairs of answers that anybody judged.",
            "n_votes": "Votes on these, one of each voter; those that do not tell voter or prompt are not among them.",
        },
    ),
    "/api/analysis/influence": (
        "What the order of the board hangs on. Voters are counted and not named.",
        {},
        {
            "first_place": "The fewest votes without which the second would stand level with the first.",
            "neighbours": "The same for each two neighbours, as an estimate.",
            "n_voters": "The fewest voters without whom the second would stand level; null with voters_reason.",
            "n_votes_of_voters": "How many votes these cast.",
            "voters_reason": "Why there is no such number.",
            "moving_most": "Of the voters who move it most: points of first place, the most moved model, which.",
        },
    ),
    "/api/analysis/goodness": (
        "Whether one scale fits the votes.",
        {},
        {
            "scale": "A test of all pairs together, or the reason why there is none.",
            "cycles": "How much of the votes goes in circles.",
            "n_contradictions": "How many pairs contradict the scores.",
            "contradictions": "The clearest of them.",
        },
    ),
    "/api/quality": (
        "How good the votes are as data: usable pairs, agreement of voters, audits. Nobody is named.",
        {},
        {
            "n_log": "How many entries of the log were looked at.",
            "sources": "Whose votes.",
            "inspected_at": "When.",
            "n_votes": "The votes of these sources that count.",
            "confidence": "Of all intervals.",
            "readiness": "Usable and gold pairs, the marks that they are held against, and what was left out and why, "
            "in pairs and in votes.",
            "agreement": "Krippendorff's nominal alpha over A, B and neither, interval and band: of all votes, and by "
            "category, version of the guideline and week; what is null has a reason.",
            "audits": "Each audit: whether it speaks, and its figures with interval, number, test and method.",
            "n_sampled": "How many votes, drawn at random, the audits read the texts of; null where they read all. "
            "`bakeoff audit` reads all.",
            "consents": "By version of the terms, with its licence: how many voters agree that their votes may be "
            "published, and how many do not. None where nobody was asked.",
            "is_renewed": "Whether a look at newer votes is on its way.",
        },
    ),
    "/api/analysis/model": (
        "All of one model.",
        {"id": _ID},
        {
            "confidence": "Of all intervals.",
            "model": "Its facts.",
            "entry": "Its line on the board, or null.",
            "names": "Of its opponents, by id.",
            "record": "Won, lost, ties, both bad.",
            "share": "The share won.",
            "kinds": "The same by category.",
            "opponents": "The same by opponent, beside what the scores lead to expect.",
            "votes": "By day, week or month.",
        },
    ),
}

REFUSALS: Mapping[str, str] = {
    "202": "It takes longer than eight seconds: ask again for the answer.",
    "400": "One model given twice.",
    "404": "There is no leaderboard with two rated models yet, or no such model.",
    "409": "These votes give no answer to this, or the model has no score yet.",
    "503": "The database does not answer, or too many questions are waiting.",
}
