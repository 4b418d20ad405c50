"""How voters did on the worked examples, on the host's page, and for nobody else."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, expect

from arena.battle import Verdict, VoterId
from arena.calibration import Calibration
from arena.guideline import Guideline
from arena.login import Login
from arena.pack import read_pack, starter_directory
from arena.role import Role
from openid import HASH, signed_in
from served import NOON, Arena, serving

LOGIN = Login(password=HASH)
ADA = VoterId("ada" * 10 + "ad")


@pytest.fixture(scope="module")
def arena() -> Iterator[Arena]:
    starter = read_pack(starter_directory()).guideline
    assert starter is not None
    guideline = Guideline("7", "tie", starter.text)
    with serving() as start:
        served = start(login=LOGIN, rules="[guideline]\ncalibration = 4\n", guideline=guideline)
        calibration = Calibration(served.store)
        # As the guideline says: A, B, tie and both bad of the examples 1, 2, 8 and 9.
        for number, verdict in ((1, Verdict.A), (2, Verdict.A), (8, Verdict.TIE)):
            calibration.judge(number, verdict, ADA, NOON + timedelta(seconds=number))
        calibration.pass_over(9, ADA, NOON + timedelta(seconds=10))
        yield served


def test_the_host_reads_the_scores_and_nobody_else_does(arena: Arena):
    answer = signed_in(arena, LOGIN, Role.HOST).get("/api/host/calibration")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json()["scores"] == [
        {
            "voter_id": ADA,
            "guideline_version": "7",
            "began_at": (NOON + timedelta(seconds=1)).isoformat(),
            "ended_at": (NOON + timedelta(seconds=10)).isoformat(),
            "n_judged": 3,
            "n_agreed": 2,
            "n_passed": 1,
        }
    ]
    for roles, status in (((), 401), ((Role.RESEARCHER,), 403), ((Role.ANNOTATOR,), 403)):
        refused = signed_in(arena, LOGIN, *roles).get("/api/host/calibration")
        assert refused.status_code == status
        assert ADA not in refused.text


@pytest.mark.parametrize(("language", "told"), [("en", "2 of 3"), ("de", "2 von 3"), ("zh", "3 个中的 2 个")])
def test_the_page_has_them_as_a_table(arena: Arena, browser: Browser, language: str, told: str):
    client = signed_in(arena, LOGIN, Role.HOST)
    context = browser.new_context(locale=language, viewport={"width": 390, "height": 800})
    context.add_cookies([{"name": c.name, "value": c.value or "", "url": arena.url} for c in client.cookies.jar])
    page = context.new_page()
    page.goto(f"{arena.url}/host")
    row = page.locator("#host-calibration tbody tr")
    expect(row.locator("th")).to_have_text(ADA)
    expect(row.locator("td")).to_have_text(["7", re.compile(".+"), told, "1"])
    # Nothing of the page is wider than the phone.
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    context.close()
