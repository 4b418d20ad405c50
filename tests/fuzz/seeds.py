"""Where a fuzzer begins: sound inputs of each reader, and words that its format is made of."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from arena import table
from ground import ROOT
from targets import ISSUED, given_session

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


def _list_body() -> tuple[bytes, ...]:
    ranked = (b"\0" + json.dumps({"ranks": ranks}).encode() for ranks in ([1, 2, 3, 4], [2, 1, 1, 3]))
    return (*ranked, b"\1" + json.dumps({"reason": "other"}).encode(), b"\2{}")


def _consent_body() -> tuple[bytes, ...]:
    return tuple(json.dumps({"version": "1", "given": given}).encode() for given in (True, False))


def _calibration_body() -> tuple[bytes, ...]:
    return (b'\1{"verdict": "A"}', b'\2{"verdict": "both_bad"}', b'\1{"pass": true}')


def _signal_body() -> tuple[bytes, ...]:
    said = {"source": "app", "user": "u", "given_at": "2026-11-21T12:00:00+01:00", "model": "one", "answer": "Yes."}
    said |= {"messages": [{"role": "user", "content": "Well?"}]}
    kinds = (
        {"kind": "thumbs", "up": False, "category": "code", "language": "en", "revision": "2"},
        {"kind": "edit", "edited": "No."},
        {"kind": "regeneration"},
    )
    signals = (b"\0" + json.dumps({"id": f"s{n}", **said, **kind}).encode() for n, kind in enumerate(kinds))
    return (*signals, b"\1" + json.dumps({"source": "app", "user": "u"}).encode())


def _host_body() -> tuple[bytes, ...]:
    decided = {"reason": "The second one counts right.", "by": "the host"}
    return (
        b"\0" + json.dumps({"case": "CASE", "verdict": "B", **decided}).encode(),
        b"\1" + json.dumps({"seq": 77, **decided}).encode(),
        b"\2" + json.dumps({"voter": "a voter", **decided}).encode(),
        b"\3" + json.dumps({"voter": "a voter", **decided}).encode(),
    )


def _foreign() -> tuple[bytes, ...]:
    ranked = [{"model": "one", "rank": 1, "text": "Yes."}, {"model": "two", "rank": 2.5}, {"model": "new", "rank": 2.5}]
    asked = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Well?"}]
    rows: list[dict[str, object]] = [
        {"answers": ranked, "prompt_id": "p", "voter": "v", "voted_at": "2026-11-21 12:00:00+01:00"},
        {"id": "three", "name": "Three", "open_weights": True, "url": "https://a.example", "license": "mit"},
        {"id": "q", "text": "And?", "category": "code", "language": "en", "source": "s", "license": "cc0-1.0"},
        {"prompt_id": "p", "model_id": "two", "text": "No.", "tokens": 2, "latency_ms": 1.5, "params": {"seed": 1}},
    ]
    lines = [bytes([number]) + json.dumps(row).encode() for number, row in enumerate(rows)]
    told = {"answers": ranked[:2], "messages": asked, "blind": True, "purpose": "train", "time_to_vote_ms": 12}
    csv = [
        b'\4answers,prompt_text\n"[{""model"": ""one"", ""rank"": 1}, {""model"": ""two"", ""rank"": 2}]",Well?\n',
        b"\5id,name,open_weights\nthree,Three,true\n",
        b"\6id,text,language\nq,And?,en\n",
        b"\7prompt_id,model_id,text,tokens\np,two,No.,2\n",
    ]
    return (*lines, b"\0" + json.dumps(told).encode(), *csv)


def _rules() -> tuple[bytes, ...]:
    consent = '[consent]\nversion = "1"\nlicense = "cc-by-4.0"\npurpose = "both"\ntext = "May we?"\nrequired = true\n'
    consent += '[consent.translations]\nde = "Dürfen wir?"\n'
    labels = (
        '[labels]\nscale = "much-slightly"\nreasons = ["Wrong"]\ncomment = true\nconfidence = true\nratings = true\n'
    )
    labels += 'acceptable = true\ndimensions = [{id = "tone", name = "Tone"}]\n'
    lists = 'title = "x"\n[ballot]\nkind = "ranked"\nanswers = 4\nskip = true\nundo = false\n'
    shares = "[items]\noverlap = 0.2\nrepeat = 0.1\ngold = 0.1\n[guideline]\ncalibration = 2\n"
    files = (each.encode() for each in (consent, labels, lists, shares))
    return ((ROOT / "data" / "arena.toml").read_bytes(), *files)


def _gold() -> tuple[bytes, ...]:
    row = {"prompt_id": "p", "model_a": "one", "model_b": "two", "verdict": "A", "reason": "It is right."}
    return (json.dumps(row).encode(), json.dumps({**row, "verdict": "both_bad"}).encode() + b"\n\n")


def _manifest() -> tuple[bytes, ...]:
    rights = {"license": "cc-by-4.0", "votes_without_consent": 1, "votes_without_purpose": 0}
    rights |= {"consent_licenses": {"1": "cc0-1.0"}, "models_without_license": ["one"], "prompts_without_license": 2}
    told = {"watermark": {"n_log": 7, "log_hash": "0" * 64}, "n_votes": 7, "options": {"formats": ["dpo"]}}
    return (json.dumps({**told, "rights": rights, "files": {"README.md": {"sha256": "0" * 64}}}).encode(),)


def _audit_report() -> tuple[bytes, ...]:
    figure = {"name": "f", "label": "l", "value": 0.5, "low": 0.25, "high": 0.75, "n": 9, "unit": "votes"}
    figure |= {"form": "share", "p_value": 0.1, "q_value": None, "speaks": True, "reason": None}
    empty = {**figure, "name": "g", "value": None, "low": None, "high": None, "reason": "too few votes"}
    audit = {"audit": "side", "speaks": True, "sentence": "People prefer a side.", "figures": [figure, empty]}
    return (json.dumps({"audits": [audit]}).encode(), b'{"length": {"slope": 0.5, "n": [1, 2]}}')


def _reference() -> tuple[bytes, ...]:
    turns = [{"role": "user", "content": "Well?"}, {"role": "assistant", "content": "Yes."}]
    rows = ({"prompt": "Well?"}, {"prompt": turns[:1]}, {"messages": turns}, {"chosen": turns}, {"text": "Well?"})
    return (*(b"\0" + json.dumps(row).encode() for row in rows), b"\1prompt\nWell?\n", b"\2Well?\nAnd?\n")


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
    "list_body": _list_body,
    "consent_body": _consent_body,
    "calibration_body": _calibration_body,
    "signal_body": _signal_body,
    "host_body": _host_body,
    "signed_in": lambda: (given_session().encode(),),
    "foreign": _foreign,
    "rules": _rules,
    "gold": _gold,
    "worked_examples": lambda: tuple(each.rpartition(b"---\n")[2] for each in _guideline()),
    "manifest": _manifest,
    "audit_report": _audit_report,
    "reference": _reference,
}

_JSON_WORDS = ("\\ud800", "\\u0000", "1e400", "NaN", "[[[[", "{}", "null", "true", "9" * 20, "-1", "1.0", "\U0001f600")
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
    "list_body": ('"ranks":', '"reason":', '"other"', "[1,1,1,1]", *_JSON_WORDS),
    "consent_body": ('"version":', '"given":', '"1"', *_JSON_WORDS),
    "calibration_body": ('"verdict":', '"pass":', '"tie"', *_JSON_WORDS),
    "signal_body": ('"up":', '"edited":', '"messages":', '"system"', "0001-01-01T00:00:00+23:59", *_JSON_WORDS),
    "host_body": ("CASE", '"seq":', '"case":', '"voter":', '"reason":', '"by":', "\u202e", "\u2028", *_JSON_WORDS),
    "foreign": (*_COLUMN_WORDS, '"answers":', '"rank":', '"model":', "messages", "prompt_text", '""', *_JSON_WORDS),
    "rules": (
        *("[consent]", "[consent.translations]", "[labels]", "[ballot]", "[items]", "dimensions", "reasons", "scale"),
        *("kind = ", "ranked", "answers", "version", "purpose", "\\ud800", "\\u0000", "inf", "nan", "'''", "[["),
        "2026-11-21",
    ),
    "gold": ("both_bad", '"verdict":', '"model_b":', *_JSON_WORDS),
    "worked_examples": (
        "### 1. ",
        "**Prompt.** ",
        "**Answer A.** ",
        "**Verdict.** ",
        "```\n",
        "<!--",
        "> ",
        "\u2028",
        "\0",
    ),
    "manifest": ('"watermark":', '"files":', '"rights":', '"options":', '"sha256":', "../", *_JSON_WORDS),
    "audit_report": ('"audits":', '"figures":', '"sentence":', '"form":', '"speaks":', *_JSON_WORDS),
    "reference": ('"prompt":', '"messages":', '"chosen":', '"content":', *_JSON_WORDS),
}
