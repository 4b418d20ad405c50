"""Judges that follow a plan, on a real server; and packs for them, with answers whose worth is known."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from model_server import ModelServer, Reply

from arena.contenders.answer_log import append
from arena.contenders.client import Completion
from arena.contenders.judgement import JUDGEMENTS_FILE
from arena.contenders.judging import pairs_of, questions, row_of
from arena.pack import read_pack
from ground import NOW

_FENCED = r"<<{what} (\w+)>>\n(.*)\n<<end of {what} \1>>"


class Asked(NamedTuple):
    """What a judge was shown."""

    code: str
    prompt: str
    a: str
    b: str
    text: str


Plan = Callable[[Asked], str]
"""What a judge says: a verdict."""


def asked(body: dict[str, Any]) -> Asked:
    """The question of a request, as a judge understands it: what stands between the marks is material."""
    return understood(body["messages"][-1]["content"])


def understood(text: str) -> Asked:
    [(code, prompt)] = re.findall(_FENCED.format(what="prompt"), text, re.DOTALL)
    a, b = (re.findall(_FENCED.format(what=f"answer {side}"), text, re.DOTALL)[0][1] for side in "AB")
    return Asked(code, prompt, a, b, text)


def says(plan: Plan, **more: Any) -> Callable[[dict[str, Any]], Reply]:
    """A judge who thinks aloud and ends with the verdict of a plan."""

    def reply(body: dict[str, Any]) -> Reply:
        question = asked(body)
        told = {"code": question.code, "reason": "by plan", "verdict": plan(question)}
        return Reply(pieces=("Let me ", "see. ", json.dumps(told)), **more)

    return reply


def rule(pack: Path, plans: Mapping[str, Plan | None]) -> None:
    """What the judges of a pack say by their plans, in judgements.jsonl as a run would leave it; None: no verdict."""
    read = read_pack(pack)
    judges = [each for each in read.judges if each.id in plans]
    for question in questions(judges, pairs_of(read), (), Random(0)):
        plan = plans[question.who]
        for attempt in (1,) if plan else (1, 2):
            shown = understood(question.messages[0].content)
            told = "Who can tell?" if plan is None else json.dumps({"code": shown.code, "verdict": plan(shown)})
            made = Completion(told, "stop", question.who, 7, 3, first_word_ms=1.0, latency_ms=2.0, n_tries=1)
            append(pack / JUDGEMENTS_FILE, row_of(replace(question, attempt=attempt), made, NOW))


def quality(text: str) -> int:
    """How good an answer is: it says so itself."""
    return int(re.findall(r"quality (\d+)", text)[0])


def honest(question: Asked) -> str:
    one, other = quality(question.a), quality(question.b)
    return "tie" if one == other else "A" if one > other else "B"


def first(_: Asked) -> str:
    return "A"


def longer(question: Asked) -> str:
    one, other = len(question.a), len(question.b)
    return "tie" if one == other else "A" if one > other else "B"


class Written(NamedTuple):
    """An answer of a pack: how good it is, and of how many characters beside that."""

    quality: int
    length: int = 0


def write_pack(
    folder: Path,
    server: ModelServer | None,
    answers: Sequence[Sequence[Written]],
    *judges: dict[str, Any],
    models: Sequence[dict[str, Any]] = (),
) -> Path:
    """A pack in which answers[p][m] is that of model m to prompt p. Judges are of principles unless they say."""
    folder.mkdir()
    n_models = len(answers[0])
    listed = models or [{"id": f"m{m}", "name": f"Contender {m}"} for m in range(n_models)]
    prompts = [
        {"id": f"p{p}", "category": "even" if p % 2 == 0 else "odd", "messages": _asking(p)}
        for p in range(len(answers))
    ]
    texts = [
        {"prompt_id": f"p{p}", "model_id": listed[m]["id"], "text": _text(p, m, each)}
        for p, row in enumerate(answers)
        for m, each in enumerate(row)
    ]
    (folder / "arena.toml").write_text("")
    for name, rows in (("models", listed), ("prompts", prompts), ("answers", texts)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    write_judges(folder, server, *judges)
    return folder


def write_judges(folder: Path, server: ModelServer | None, *judges: dict[str, Any]) -> None:
    rows = [judge(server, **each) for each in judges]
    (folder / "judges.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def judge(server: ModelServer | None, id: str = "honest", **more: Any) -> dict[str, Any]:  # noqa: A002 - the key in the file
    endpoint = {
        "base_url": server.url if server else "http://127.0.0.1:9/v1",
        "model": id,
        "price": {"input": 1.0, "output": 10.0},
    }
    row: dict[str, Any] = {"id": id, "name": id.upper(), "version": "1", "mode": "principles"}
    if more.get("mode", "principles") == "principles":
        row["principles"] = ["Prefer what is right."]
    return row | more | {"endpoint": endpoint | more.get("endpoint", {})}


def _asking(p: int) -> list[dict[str, str]]:
    return [{"role": "user", "content": f"What is the matter of number {p}?"}]


def _text(p: int, m: int, each: Written) -> str:
    return f"Take {p} by {m}, of quality {each.quality}. {'x' * each.length}".strip()


PLAIN = [[Written(2), Written(1)], [Written(1), Written(3)], [Written(1), Written(1)]]
"""Three prompts and two models: the first wins, the second wins, a tie."""
