"""Personal data are in no byte of an export: found by shape and check, replaced, and counted."""

import random
import string
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.battle import Verdict
from arena.dataset.personal import Cleaned, clean
from arena.dataset.recogniser import Presidio, open_presidio
from arena.dataset.rights import missing
from arena.errors import BadInput
from arena.export import Order, export
from arena.preferences.choices import Choices
from arena.preferences.formats import formats
from arena.store import VoteStore
from dataset_world import SECRET, Said, World, bytes_in, rows_in

property_test = settings(max_examples=100, deadline=None, derandomize=True, database=None)

# Made up, or set aside for examples; put together here so that no scanner takes them for real ones.
KEYS = [
    "sk-" + "a1B2" * 8,
    "AKIA" + "ABCDEFGH12345678",
    "ghp_" + "a1b2C3" * 6,
    "hf_" + "aBcDeFgHi" * 4,
    "AIza" + "a1B2c" * 7,
    "xoxb-" + "123456789012-abcdef",
    "glpat-" + "a1B2" * 5,
    "eyJ" + "hbGciOiJIUzI1NiJ9" + ".eyJ" + "zdWIiOiIxMjM" + ".c2lnbmF0dXJl",
    "-----BEGIN RSA PRIVATE" + " KEY-----\nMIIEpAIBAAKCAQEAexampleexample\n-----END RSA PRIVATE" + " KEY-----",
]

FOUND = {
    "EMAIL": ["jo.doe+x@example.co.uk", "ANNA_1@mail.example.org", "jürgen@bücher.example"],
    "PHONE": [
        *("+49 171 1234567", "+1 (212) 555-0123", "(212) 555-0123", "212-555-0123", "01 23 45 67 89", "0171 1234567"),
        *(
            "+33 1 23 45 67 89",
            "0049 30 1234567",
            "030/12345678",
            "+86 138 0013 8000",
            "+44\u00a020\u00a07946\u00a00958",
        ),
    ],
    "IP": ["203.0.113.7", "192.168.1.20", "2001:db8::8a2e:370:7334", "fe80::1ff:fe23:4567:890a"],
    "CARD": ["4111 1111 1111 1111", "5555555555554444", "3782-822463-10005"],
    "IBAN": ["GB82 WEST 1234 5698 7654 32", "DE89370400440532013000", "FR14 2004 1010 0505 0001 3M02 606"],
    "API_KEY": KEYS,
}

# The last digit, or the check digits, are others.
NOT_FOUND = [
    *("4111 1111 1111 1112", "GB83 WEST 1234 5698 7654 32", "127.0.0.1", "999.1.1.1", "::1", "std::vector<ab::cd>"),
    *("2026-11-22 12:30:45", "1,234,567,890", "3.14159265358979", "10 000 000", "ISBN 978-3-16-148410-0", "v1.2.3"),
    *("a @ b", "@home", "x = 12345678", "1999-2024", "task-force-of-twenty-people-in-the-room", "f(1, 2, 3, 4, 5, 6)"),
]


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in FOUND.items() for text in texts])
@pytest.mark.parametrize("around", ["{}", "Write to {}, please.", "({})", "a: {}\nb", "„{}“", "call {}. Then"])
def test_what_is_personal_is_replaced_wherever_it_stands(kind: str, text: str, around: str):
    cleaned = clean(around.format(text))
    assert cleaned == Cleaned(around.format(f"<{kind}>"), frozenset({kind}))


@pytest.mark.parametrize("text", NOT_FOUND)
def test_what_only_looks_like_it_stays(text: str):
    assert clean(f"So {text} it is") == Cleaned(f"So {text} it is")


@property_test
@given(st.text(), st.sampled_from([text for texts in FOUND.values() for text in texts]), st.text())
def test_no_text_around_it_saves_it(before: str, text: str, after: str):
    cleaned = clean(f"{before} {text} {after}")
    assert text not in cleaned.text
    assert cleaned.found


@property_test
@given(st.text(string.printable + "äé：中文🙂\u00a0"))
def test_a_clean_text_is_clean_when_it_is_cleaned_again(text: str):
    once = clean(text).text
    assert clean(once).text == once


def test_a_text_that_is_made_to_be_slow_is_not():
    """Each of these has the beginning of a shape at every letter. In none may the work grow as the square."""
    for piece in ("a@", "1.", "1 ", "::", "AB12 ", "+1 (", "0123 456 ", "sk-", "eyJaaaaaaaa.", "4111 1111 "):
        assert clean(piece * 20_000).text


# In an export


def test_planted_personal_data_are_in_no_byte_of_an_export(store: VoteStore, tmp_path: Path):
    rng = random.Random(1)
    planted = [text for texts in FOUND.values() for text in texts]
    texts = {}
    for number, text in enumerate(planted):
        for who in ("prompt", "ada", "bob"):
            texts[number, who] = f"{who} {number} has {text} in it, {rng.random()}"
    world = World(store, texts)
    comments = [f"ask {text}" for text in planted]
    world.vote(*(Said(number, comment=comment, voter=f"voter-{number}") for number, comment in enumerate(comments)))
    names = tuple(formats())
    done = export(store, tmp_path / "out", names=names, choices=Choices(comments=True), secret=SECRET)
    assert done.manifest["personal_data"]["kinds"] == {kind: 4 * len(each) for kind, each in sorted(FOUND.items())}
    assert done.manifest["personal_data"]["n_changed"] == 4 * len(planted)
    rows = rows_in(tmp_path / "out", "raw_votes")
    assert len(rows) == len(planted)
    assert all("<" in row["comment"] and "<" in row["answer_a"] for row in rows)
    # Parquet is compressed: what its rows hold is looked at as text, every file of it as bytes.
    seen = b"\n".join(bytes_in(tmp_path / "out").values()) + b"".join(
        str(rows_in(tmp_path / "out", name)).encode() for name in names
    )
    for text in planted:
        assert text.encode() not in seen
        assert repr(text)[1:-1].encode() not in seen
    assert b"voter-1" not in seen


def test_answers_that_differ_by_personal_data_alone_are_no_pair(store: VoteStore, tmp_path: Path):
    world = World(store, {(1, "ada"): "Ask a@example.org", (1, "bob"): "Ask b@example.org"})
    world.vote(Said(1))
    done = export(store, tmp_path / "out")
    reason = "both answers have the same text, without personal data"
    assert done.manifest["formats"]["preference"]["left_out"] == {reason: 1}


def test_words_of_chat_templates_are_left_out_unless_they_are_asked_for(store: VoteStore, tmp_path: Path):
    words = ["<|im_end|>", "[INST]", "<s>", "<start_of_turn>"]
    world = World(store, {(number, "ada"): f"Well {word} yes" for number, word in enumerate(words)})
    world.vote(*map(Said, range(len(words) + 1)))
    done = export(store, tmp_path / "out")
    assert done.manifest["left_out"] == {"a text holds tokens of a chat template": 4}
    assert len(rows_in(tmp_path / "out", "preference")) == 1


# A recogniser beside the floor


class Names:
    """Stands for Presidio's engine: finds one name, and the marks of the floor as Presidio may."""

    def analyze(self, text: str, language: str, score_threshold: float) -> list[Any]:
        assert (language, score_threshold) == ("en", 0.5)
        found = []
        for word, kind in (("Jane Roe", "PERSON"), ("EMAIL", "ORG"), ("<PHONE>", "ORG"), ("Roe", "LOCATION")):
            at = text.find(word)
            if at >= 0:
                found.append(SimpleNamespace(entity_type=kind, start=at, end=at + len(word), score=1.0))
        return found


def test_a_recogniser_finds_names_beside_the_floor_and_leaves_its_marks(store: VoteStore, tmp_path: Path):
    world = World(store, {(1, "ada"): "Jane Roe, j@example.org, +49 171 1234567"})
    world.vote(Said(1))
    order = Order(recogniser=Presidio(Names(), "en"), recogniser_name="presidio (en)")
    done = export(store, tmp_path / "out", order=order)
    [row] = rows_in(tmp_path / "out", "preference")
    assert row["chosen"][0]["content"] == "<PERSON>, <EMAIL>, <PHONE>"
    assert done.manifest["personal_data"]["kinds"] == {"EMAIL": 1, "PERSON": 1, "PHONE": 1}


def test_presidio_that_is_not_installed_is_asked_for():
    try:
        import presidio_analyzer  # noqa: F401, PLC0415 # pyright: ignore[reportMissingImports]
    except ImportError:
        with pytest.raises(BadInput, match="pip install"):
            open_presidio("en")


# Rights


def test_votes_for_evaluation_are_in_no_export_and_what_is_not_known_is_counted(store: VoteStore, tmp_path: Path):
    world = World(store)
    world.vote(Said(1), Said(2, purpose="eval"), Said(3, purpose=None), Said(4, verdict=Verdict.B, consent=None))
    manifest = export(store, tmp_path / "out", order=Order(licence="cc-by-4.0")).manifest
    assert {row["prompt_id"] for row in rows_in(tmp_path / "out", "preference")} == {"p0001", "p0003", "p0004"}
    assert manifest["left_out"] == {"for evaluation only": 1}
    rights = manifest["rights"]
    assert (rights["consents"], rights["purposes"]) == ({"1": 2}, {"both": 2})
    assert missing(rights) == [
        "1 of the votes do not say what their voters agreed to",
        "1 of the votes do not say what they may be used for",
    ]
