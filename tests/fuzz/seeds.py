"""Where a fuzzer begins: sound inputs of each reader, and words that its format is made of."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from arena import table
from ground import ROOT
from targets import ISSUED

CASES = Path(__file__).parent / "cases"

_VOTES = (("one", "two", "model_a", "v1"), ("two", "one", "tie", "v2"), ("one", 'thr,"ee', "tie (bothbad)", ""))
_COLUMNS = ("model_a", "model_b", "winner", "voter")


@cache
def seeds(name: str) -> tuple[bytes, ...]:
    """Sound inputs of a target, and the inputs that were once found to break its promise."""
    return (*_SEEDS.get(name, lambda: ())(), *(each for _, each in cases(name)))


def cases(name: str) -> list[tuple[str, bytes]]:
    """Inputs that once broke the promise of a target, by what they are."""
    folder = CASES / name
    return [(path.name, path.read_bytes()) for path in sorted(folder.iterdir())] if folder.is_dir() else []


def words(name: str) -> tuple[str, ...]:
    """Pieces that a mutation may put in."""
    return _WORDS.get(name, ())


def _csv() -> tuple[bytes, ...]:
    lines = [",".join(_COLUMNS), *("one,two,model_a,v1", "two,one,tie,v2", '"one","th""ree",both_bad,')]
    text = "\n".join(lines)
    return (text.encode(), ("\ufeff" + text.replace(",", ";")).encode(), text.replace("\n", "\r\n").encode())


def _jsonl() -> tuple[bytes, ...]:
    rows = [dict(zip(_COLUMNS, each, strict=True)) for each in _VOTES]
    more = {"model_a": 1, "model_b": "zwei", "winner": "tie", "prompt_text": "Well?", "answer_a": "a", "answer_b": "b"}
    more |= {"voted_at": "2026-11-21 12:00:00+01:00", "time_to_vote_ms": 12}
    return tuple("\n".join(map(json.dumps, each)).encode() for each in (rows, [more]))


def _parquet() -> tuple[bytes, ...]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "votes.parquet"
        table.write(path, dict.fromkeys(_COLUMNS, "varchar"), _VOTES)
        return (path.read_bytes(),)


def _pack_jsonl() -> tuple[bytes, ...]:
    files = ("models.jsonl", "prompts.jsonl", "answers.jsonl")
    made = {"params": {"temperature": 0.5}, "tokens": 7, "latency_ms": 1.5, "finish_reason": "stop"}
    answer = {"prompt_id": "p", "model_id": "one", "text": "Yes.", **made}
    check = {"pattern": "^[a-z]+$", "meaning": "small letters"}
    prompt = {"id": "p", "messages": [{"role": "user", "content": "Well?"}], "checks": [check]}
    starters = (b"\n".join((ROOT / "data" / file).read_bytes().split(b"\n")[:2]) for file in files)
    sound = [bytes([number]) + text for number, text in enumerate(starters)]
    return (*sound, b"\1" + json.dumps(prompt).encode(), b"\2" + json.dumps(answer).encode())


def _guideline() -> tuple[bytes, ...]:
    text = (ROOT / "data" / "guidelines.md").read_bytes()
    example = (
        b"---\nversion: '1'\nwhen_in_doubt: tie\n---\n### 1. T\n**Prompt.** p\n\n**Answer A.** a\n\n**Answer B.** b\n\n"
        b"**Verdict.** A\n\n**Reason.** r\n"
    )
    return (text, example)


def _api_body() -> tuple[bytes, ...]:
    labels = {"scale": "much-slightly", "strength": 1, "dimensions": {"tone": "A"}, "reasons": {"A": ["Wrong"]}}
    labels |= {"comment": "x", "confidence": "low", "ratings": {"B": 3}, "acceptable": True, "thumbs": {"A": "up"}}
    return (
        b"\0" + json.dumps({"verdict": "A", "labels": labels}).encode(),
        b"\0" + json.dumps({"verdict": "tie"}).encode(),
        b"\1" + json.dumps({"reason": "other"}).encode(),
        b"\2{}",
    )


def _view() -> tuple[bytes, ...]:
    return (
        b"category=code&category=facts&language=en&source=human&since=2026-01-01&until=2026-02-01T00%3A00%2B01%3A00",
        b"min_votes=3&style=on&up_to=12&q=gpt&organization=a&license=b&open_weights=yes&retired=no&format=csv",
        b"text/csv;q=0.5, application/json;q=0.1, */*",
    )


def _markdown() -> tuple[bytes, ...]:
    return (
        b"# h\n\n*a* **b** `c` [d](https://e.example) ![f](https://g.example/h.png) <https://i.example>\n\n- j\n  1. k",
        b"| a | b |\n|:--|--:|\n| $x^2$ | ~~s~~ |\n\n> quote\n\n```python\ncode\n```\n\n$$\\frac{a}{b}$$\n\n[x]: http://y.example",
        "[https://a.example](https://b.example) \u202etxt\u202c".encode(),
    )


def _mathematics() -> tuple[bytes, ...]:
    return (
        rb"\frac{a}{b}^2_3 + \sqrt[3]{x} \left( \begin{matrix} a & b \\ c & d \end{matrix} \right)",
        rb"\sum_{i=1}^n \overline{x} \text{if } \mathbb{R} \operatorname{f} \boxed{x} \hspace{1em} \color{red}{x}",
        rb"\begin{aligned} a &= b \\ &= c \end{aligned} \begin{cases} 1 & x \\ 2 & y \end{cases}",
    )


_SEEDS = {
    "votes_csv": _csv,
    "votes_jsonl": _jsonl,
    "votes_parquet": _parquet,
    "imported": _jsonl,
    "pack_toml": lambda: ((ROOT / "data" / "arena.toml").read_bytes(), b'title = "x"\n[ballot]\nskip = true\n'),
    "pack_jsonl": _pack_jsonl,
    "guideline": _guideline,
    "cookie": lambda: tuple(each.encode() for each in ISSUED),
    "view": _view,
    "api_body": _api_body,
    "markdown": _markdown,
    "mathematics": _mathematics,
}

_COLUMN_WORDS = ("model_a", "model_b", "winner", "tie", "both_bad", "voter", "withdrawn", "source", "voted_at")
_WORDS: Mapping[str, tuple[str, ...]] = {
    "votes_csv": (*_COLUMN_WORDS, '"', '""', "\r", ";", "\ufeff", "\0", "\u2028"),
    "votes_jsonl": (*_COLUMN_WORDS, "\\ud800", "1e999", "NaN", "null", "[[[[", "{}", "\\u0000"),
    "imported": (*_COLUMN_WORDS, "prompt_text", "answer_a", "time_to_vote_ms", "\\ud800", "\\u0000", "null", "9" * 20),
    "pack_toml": ("[rating]", "[labels]", "dimensions", "seed", "sources", "2026-11-21", "inf", "nan", "'''", "[["),
    "pack_jsonl": (
        "checks",
        "pattern",
        "messages",
        "role",
        "system",
        "params",
        "tokens",
        "{9999999999}",
        "(?P<",
        "1e9",
    ),
    "guideline": ("---\n", "version: ", "when_in_doubt: ", "tie", "&a ", "*a", "!!", "? ", "<<: ", "2026-13-45", "0x_"),
    "view": ("category=", "since=", "%2B", "up_to=", "&", "0001-01-01", "9999-12-31T23:59-14:00", ";q="),
    "api_body": ('"labels":', '"dimensions"', '"reasons"', '"strength"', "\\ud800", "1e400", "[[[[", "null"),
    "markdown": (
        "](",
        "<http://",
        "javascript:",
        "&#106;",
        "$$",
        "\\(",
        "```",
        "![",
        "|--",
        "\u202e",
        "\0",
        "<script>",
    ),
    "mathematics": (
        "\\left",
        "\\begin{",
        "\\end{",
        "\\href{",
        "\\text{<",
        "\\unicode{",
        "&",
        "\\\\",
        "^",
        "_",
        "{",
        "}",
    ),
}
