"""What `bakeoff judge --report` says of judges: a bias that was planted is found, and where there is none, none is."""

import csv
from itertools import combinations
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from judges import Asked, Written, first, honest, longer, rule, write_pack

from arena.agreement import Chance
from arena.battle import AnswerId, Model, ModelId, PromptId, Verdict, VoterId
from arena.contenders.endpoint import Endpoint
from arena.contenders.judge import Judge, Mode
from arena.contenders.judgement import Ruling, read_replies, rulings
from arena.judge_report import Compared, position, reports
from arena.pack import Pack
from arena.quality.sheet import Sheet
from arena.rules import Rules
from command import ROOT, bakeoff, error_of
from console import steady
from ground import NOW

RULING = Ruling(
    *("j", "1", "digest", PromptId("p"), ModelId("m0"), ModelId("m1"), AnswerId("x"), AnswerId("y")),
    verdict=Verdict.A,
    seen=(Verdict.A, Verdict.B),
    dimensions={},
    chosen="all pairs",
    is_masked=False,
    guideline_version=None,
    replied_at=NOW,
)
PACK = Pack(
    directory=Path(),
    rules=Rules(),
    rules_text="",
    guideline=None,
    models=(Model(ModelId("m0"), "Own"),),
    prompts=(),
    answers=(),
    checks={},
    judges=(
        Judge("j", "J", "1", Endpoint(model="m0", base_url="http://127.0.0.1:9/v1"), Mode.PRINCIPLES, "", "be good"),
    ),
)

N_PROMPTS = 60
N_MODELS = 3
N_PAIRS = N_PROMPTS * 3
N_VOTERS = 3
NOISE = 0.2
"""So often a person says the opposite."""

JUDGES = ("honest", "longer", "own", "first", "babbler")


def own(question: Asked) -> str:
    """Prefers what model 0 wrote, and is honest about the others."""
    return "A" if "by 0" in question.a else "B" if "by 0" in question.b else honest(question)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A pack that five judges have judged, and a database with people's votes on the same pairs.

    How good an answer is hangs neither on its length nor on its author. Model 0 is the judges' own; model 1 has its
    maker.
    """
    folder, rng = tmp_path_factory.mktemp("judged"), Random(5)
    answers = [[Written(rng.randrange(100), rng.randrange(300)) for _ in range(N_MODELS)] for _ in range(N_PROMPTS)]
    models: list[dict[str, Any]] = [
        {"id": f"m{m}", "name": f"Contender {m}", "organization": maker}
        for m, maker in enumerate(("Acme", "acme", "Elsewhere"))
    ]
    models[0]["aliases"] = list(JUDGES)
    pack = write_pack(folder / "pack", None, answers, *({"id": name} for name in JUDGES), models=models)
    rule(pack, {"honest": honest, "longer": longer, "own": own, "first": first, "babbler": None})
    db = folder / "arena.duckdb"
    said = bakeoff("import", pack, "--db", db)
    assert f"{4 * N_PAIRS} new votes of the source ai_judge" in said.err, said.err
    people = folder / "people.csv"
    with people.open("w") as file:
        table = csv.writer(file)
        table.writerow(("model_a", "model_b", "winner", "prompt_id", "voter"))
        for p, row in enumerate(answers):
            for a, b in combinations(range(N_MODELS), 2):
                for voter in range(N_VOTERS):
                    better = (row[a].quality > row[b].quality) is (rng.random() > NOISE)
                    tie = row[a].quality == row[b].quality
                    winner = "tie" if tie else "model_a" if better else "model_b"
                    table.writerow((f"m{a}", f"m{b}", winner, f"p{p}", f"v{voter}"))
    said = bakeoff("import", people, "--db", db, "--source", "human")
    assert said.code == 0, said.err
    return pack, db


@pytest.fixture(scope="module")
def found(world: tuple[Path, Path]) -> dict[str, dict[str, Any]]:
    """By judge its figures, all by name, beside its counts."""
    pack, db = world
    told = bakeoff("judge", pack, "--db", db, "--report", "--json").record["judges"]
    return {
        each["label"].removesuffix("@1"): each
        | {figure["name"]: figure for kind in ("position", "length", "self_preference") for figure in each[kind]}
        for each in told
    }


def holds(figure: dict[str, Any], value: float) -> bool:
    return figure["low"] <= value <= figure["high"]


def test_an_honest_judge_has_no_bias(found: dict[str, dict[str, Any]]):
    told = found["honest"]

    assert (told["n_pairs"], told["n_flips"], told["n_without_verdict"]) == (N_PAIRS, 0, 0)
    assert told["flips"]["value"] == 0.0
    assert told["first_won"]["value"] == 0.5
    assert holds(told["length_gap"], 0.0)
    assert holds(told["own_model"], 0.0)
    assert holds(told["own_organization"], 0.0)


def test_a_judge_for_the_longer_is_found_and_the_others_are_not(found: dict[str, dict[str, Any]]):
    told = found["longer"]

    assert told["longer_wins"]["value"] == 1.0
    assert told["length_gap"]["low"] > 1.0
    assert not holds(told["longer_wins_people"], 1.0)
    assert told["flips"]["value"] == 0.0
    assert holds(found["own"]["length_gap"], 0.0)


def test_a_judge_for_its_own_is_found_and_the_others_are_not(found: dict[str, dict[str, Any]]):
    told = found["own"]

    # All of it, where people give half of it: 0.5 beyond people, give or take.
    assert told["own_model"]["low"] > 0.3
    assert told["own_model"]["n"] == 2 * N_PROMPTS
    assert told["own_organization"]["value"] < told["own_model"]["value"]
    assert holds(found["longer"]["own_model"], 0.0)


def test_a_judge_for_the_first_place_is_found_and_says_nothing_else(found: dict[str, dict[str, Any]]):
    told = found["first"]

    assert told["n_flips"] == N_PAIRS
    assert told["flips"]["value"] == 1.0
    assert (told["first_of_flips"]["value"], told["first_won"]["value"]) == (1.0, 1.0)
    assert told["first_of_flips"]["p_value"] < 1e-9
    assert told["longer_wins"]["reason"] == "not enough data: 0 pairs, and 10 are the fewest"
    assert found["honest"]["first_of_flips"]["reason"].startswith("not enough data: 0 pairs")


def test_a_judge_without_a_verdict_is_told_and_has_no_figure(found: dict[str, dict[str, Any]]):
    told = found["babbler"]

    assert (told["n_pairs"], told["n_without_verdict"]) == (N_PAIRS, N_PAIRS)
    assert told["flips"]["value"] is None
    assert told["agreement"] is None


def test_agreement_with_people_is_told_by_category(found: dict[str, dict[str, Any]]):
    told = found["honest"]["agreement"]

    # People say as an honest judge does but for NOISE.
    assert told["decisive"]["single"]["raw"]["low"] < 1 - NOISE < told["decisive"]["single"]["raw"]["high"]
    assert set(told["by"]["category"]) == {"even", "odd"}
    assert (
        told["decisive"]["single"]["raw"]["value"] > found["longer"]["agreement"]["decisive"]["single"]["raw"]["high"]
    )


def test_votes_of_judges_mix_with_no_others_unless_asked(world: tuple[Path, Path]):
    _, db = world

    people = bakeoff("rate", "--db", db, "--json").record
    judged = bakeoff("rate", "--db", db, "--json", "--source", "ai_judge").record
    both = bakeoff("rate", "--db", db, "--json", "--source", "human,ai_judge").record

    n = {"people": N_PAIRS * N_VOTERS, "judges": N_PAIRS * 4}
    assert (people["n_votes"], judged["n_votes"], both["n_votes"]) == (n["people"], n["judges"], sum(n.values()))


def test_the_report_in_words(world: tuple[Path, Path]):
    pack, db = world

    said = bakeoff("judge", pack, "--db", db, "--report", "--judge", "first")

    lines = said.out.splitlines()
    assert lines[0] == f"first@1: {N_PAIRS} pairs of answers in both orders, {N_PAIRS} flipped, 0 without a verdict"
    assert lines[1:3] == [
        "  Position",
        f"    the verdict changes with the order: 100.0 % (97.9 % to 100.0 %), {N_PAIRS} pairs",
    ]
    assert "  By category, tie and both bad as one" in lines


def test_without_a_database_position_alone_is_told(world: tuple[Path, Path]):
    pack, _ = world

    [told] = bakeoff("judge", pack, "--report", "--judge", "own", "--json").record["judges"]

    assert told["position"][0]["value"] == 0.0
    assert {each["reason"] for each in told["length"]} == {
        "not enough data: people's votes are in a database: name it with --db"
    }


def test_the_same_seed_gives_the_same_report(world: tuple[Path, Path]):
    pack, db = world

    one, again = (bakeoff("judge", pack, "--db", db, "--report", "--json", "--judge", "own") for _ in range(2))

    assert one.out == again.out


def test_a_lean_has_its_interval_by_prompt(world: tuple[Path, Path]):
    pack, _ = world
    mine = [each for each in rulings(read_replies(pack)) if each.judge == "own"]

    few = position(mine[: 3 * 9], Chance())

    assert few[2].value == 0.5
    assert few[2].reason == "no interval: 9 prompts, and 10 are the fewest"


def test_the_shares_of_flips_have_no_interval_with_fewer_than_ten_prompts(world: tuple[Path, Path]):
    pack, _ = world
    mine = [each for each in rulings(read_replies(pack)) if each.judge == "first"]

    for n_prompts, is_told in ((9, False), (10, True)):
        for flips in position(mine[: 3 * n_prompts], Chance())[:2]:
            assert (flips.value, flips.n) == (1.0, 3 * n_prompts)
            assert ((flips.low is not None), (flips.high is not None)) == (is_told, is_told)
            assert flips.reason == (None if is_told else "no interval: 9 prompts, and 10 are the fewest")


def test_no_ruling_is_no_report(tmp_path: Path):
    pack = write_pack(tmp_path / "pack", None, [[Written(1), Written(2)]], {})

    assert "no judge has ruled in" in error_of(bakeoff("judge", pack, "--report"))


@pytest.mark.parametrize("planted", [0.0, 0.15])
def test_an_interval_of_self_preference_holds_the_truth_as_often_as_it_says(planted: float):
    """200 worlds of 40 prompts, three models, one judge and three people.

    How likely an answer is to win is its own, so that the pairs of a prompt resemble each other; the judge gives its
    own model `planted` more than people do. Of 200 intervals that hold the truth in 95 % of cases fewer than 178 do so
    once in 5,000 times; percentiles of so few prompts are a little narrow (93 %), so 174 are asked for.
    """
    rng = np.random.default_rng(0)
    n_held = 0
    for number in range(200):
        sheet = world_of_verdicts(rng, planted)
        compared = Compared(sheet, {"j@1": VoterId("judge")}, ())
        [report] = reports([RULING], PACK, Chance(rounds=200, seed=number), compared)
        figure = report.self_preference[0]
        assert figure.low is not None
        assert figure.high is not None
        n_held += figure.low <= planted <= figure.high
    assert 174 <= n_held <= 199


def world_of_verdicts(rng: np.random.Generator, planted: float, n_prompts: int = 40) -> Sheet:
    """Votes without texts; model 0 is the judge's own, and wins half of the time with people."""
    rows = []
    for prompt in range(n_prompts):
        taste = rng.uniform(0.2, 0.6)  # of model 0 against either other: 0.4 in the mean
        for a, b in combinations(range(3), 2):
            chance = taste if a == 0 else 0.5
            for voter in range(4):
                is_judge = voter == 3
                p = chance + planted * (is_judge and a == 0)
                rows.append((a, b, int(rng.random() > p), voter, prompt, 0 if not is_judge else 1))
    a, b, verdict, voter, prompt, source = (np.array(column, dtype=np.int64) for column in zip(*rows, strict=True))
    unknown = np.full(len(a), -1)
    return Sheet(
        models=tuple(ModelId(f"m{m}") for m in range(3)),
        model_a=a,
        model_b=b,
        verdict=verdict,
        voter=voter,
        prompt=prompt,
        answer_a=unknown,
        answer_b=unknown,
        moment=unknown,
        milliseconds=np.full(len(a), np.nan),
        wrote_prompt=unknown,
        guideline=unknown,
        gold=unknown,
        voters=["v0", "v1", "v2", "judge"],
        source=source,
    )


def test_without_votes_of_people_or_of_the_judge_every_figure_says_so(tmp_path: Path):
    pack, db = write_pack(tmp_path / "pack", None, [[Written(1), Written(2)]] * 12, {}), tmp_path / "arena.duckdb"
    bakeoff("import", pack, "--db", db)
    rule(pack, {"honest": honest})

    before = bakeoff("judge", pack, "--db", db, "--report", "--json")
    bakeoff("judge", pack, "--db", db)
    after = bakeoff("judge", pack, "--db", db, "--report", "--json")

    assert "no vote of honest@1 is in" in before.err
    assert after.err == ""
    [told] = after.record["judges"]
    assert [each["value"] for each in told["position"]] == [0.0, None, 0.5]
    assert {each["reason"] for each in told["length"]} == {"not enough data: 0 pairs, and 10 are the fewest"}


def test_the_report_on_the_page_is_what_comes_out(world: tuple[Path, Path]):
    pack, db = world

    said = bakeoff("judge", pack, "--db", db, "--report", "--judge", "own")

    page = (ROOT / "docs" / "judges.md").read_text()
    shown = page.split("```text\n")[1].split("\n```")[0]
    assert steady(said.out.strip().split("\n")) == steady(shown.split("\n"))
