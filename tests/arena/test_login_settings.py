"""The settings of a login: what goes together, what is said at the start, and what the Hub sets."""

from datetime import timedelta

import pytest
from click.testing import CliRunner

from arena.cli import cli
from arena.errors import BadInput
from arena.login import Login
from arena.password import PasswordHash
from arena.role import Members, Right
from arena.settings import Settings

SECRET = "s" * 40
HASH = f"scrypt:32768:8:3:{'A' * 22}:{'A' * 43}"
PROVIDER = {
    "BAKEOFF_OIDC_ISSUER": "https://login.example.org",
    "BAKEOFF_OIDC_CLIENT_ID": "arena",
    "BAKEOFF_OIDC_CLIENT_SECRET": SECRET,
    "BAKEOFF_PUBLIC_URL": "https://arena.example.org",
}


def login(environ: dict[str, str]) -> Login:
    return Settings.from_env(environ).login()


def refusal(environ: dict[str, str]) -> str:
    with pytest.raises(BadInput) as caught:
        login(environ)
    return str(caught.value)


def test_by_default_nobody_signs_in_and_all_but_the_hosts_is_open():
    found = login({})
    assert not found.is_set
    assert found == Login()
    assert found.rights(()) == {Right.EVERYBODY, Right.VOTE, Right.RESULTS}
    assert found.notes() == []


def test_a_password_is_a_login():
    found = login({"BAKEOFF_HOST_PASSWORD_HASH": HASH, "BAKEOFF_SESSION_HOURS": "1.5"})
    assert found.is_set
    assert found.password == PasswordHash.parse(HASH)
    assert found.lasts == timedelta(minutes=90)


def test_a_provider_is_a_login_for_those_who_are_named():
    found = login(PROVIDER | {"BAKEOFF_HOSTS": "ada, grace", "BAKEOFF_ANNOTATORS": "emmy"})
    assert found.provider is not None
    assert found.provider.claim == "preferred_username"
    assert found.members == Members(frozenset({"ada", "grace"}), frozenset(), frozenset({"emmy"}))
    assert found.notes() == []


def test_a_provider_where_nobody_is_named_is_said_at_the_start():
    [note] = login(PROVIDER).notes()
    assert "Nobody can sign in by the OpenID provider" in note
    assert "BAKEOFF_HOSTS" in note


def test_an_arena_where_only_the_host_can_vote_says_so():
    [note] = login({"BAKEOFF_HOST_PASSWORD_HASH": HASH, "BAKEOFF_VOTING": "annotators"}).notes()
    assert "Only a host can vote" in note


@pytest.mark.parametrize("missing", PROVIDER)
def test_half_a_provider_is_refused_with_what_is_missing(missing: str):
    message = refusal({name: value for name, value in PROVIDER.items() if name != missing})
    assert missing in message
    assert SECRET not in message


@pytest.mark.parametrize("who", ["HOSTS", "RESEARCHERS", "ANNOTATORS"])
def test_names_without_a_provider_are_refused_and_not_repeated(who: str):
    message = refusal({f"BAKEOFF_{who}": "ada-of-account"})
    assert "none is set" in message
    assert "ada" not in message


@pytest.mark.parametrize("setting", [{"BAKEOFF_VOTING": "annotators"}, {"BAKEOFF_RESULTS": "researchers"}])
def test_an_arena_that_shuts_everybody_out_does_not_start(setting: dict[str, str]):
    assert "shuts everybody out: no login is set" in refusal(setting)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HOST_PASSWORD_HASH", "three old walnut trees"),
        ("HOST_PASSWORD_HASH", ""),
        ("OIDC_ISSUER", "login.example.org"),
        ("OIDC_ISSUER", "http://login.example.org"),
        ("OIDC_ISSUER", "https://ada:hidden@login.example.org"),
        ("OIDC_ISSUER", "file:///etc/passwd"),
        ("OIDC_CLIENT_ID", ""),
        ("OIDC_CLIENT_SECRET", ""),
        ("OIDC_SCOPES", "profile"),
        ("OIDC_CLAIM", ""),
        ("PUBLIC_URL", "arena.example.org"),
        ("PUBLIC_URL", "https://arena.example.org/?x=1"),
        ("HOSTS", ""),
        ("HOSTS", "ada-of-account,,grace"),
        ("VOTING", "closed"),
        ("RESULTS", "hosts"),
        ("SESSION_HOURS", "0"),
        ("SESSION_HOURS", "inf"),
        ("SIGNED_AS", ""),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_by_name(name: str, value: str):
    message = refusal(PROVIDER | {f"BAKEOFF_{name}": value})
    assert f"BAKEOFF_{name} has an unusable value" in message
    assert not {"walnut", "ada-of-account"} & set(message.replace(",", " ").split())


def test_a_provider_on_this_machine_may_do_without_https():
    assert login(PROVIDER | {"BAKEOFF_OIDC_ISSUER": "http://127.0.0.1:8080"}).provider


def test_no_secret_of_a_login_is_ever_shown():
    settings = Settings.from_env(PROVIDER | {"BAKEOFF_HOST_PASSWORD_HASH": HASH})
    for shown in (repr(settings), str(settings), repr(settings.login()), settings.model_dump_json()):
        assert SECRET not in shown
        assert HASH not in shown


SPACE = {
    "SPACE_ID": "ada/arena",
    "SPACE_HOST": "ada-arena.hf.space,arena.example.org",
    "OAUTH_CLIENT_ID": "of the hub",
    "OAUTH_CLIENT_SECRET": SECRET,
    "OAUTH_SCOPES": "openid profile",
    "OPENID_PROVIDER_URL": "https://huggingface.co",
}


def test_on_a_space_the_hub_is_the_provider():
    settings = Settings.from_env(SPACE | {"BAKEOFF_HOSTS": "ada"})
    found = settings.login().provider
    assert found is not None
    assert (found.issuer, found.client_id, found.client_secret) == ("https://huggingface.co", "of the hub", SECRET)
    assert found.public_url == "https://ada-arena.hf.space"
    assert settings.cookies == "embedded"


def test_on_a_space_without_oauth_there_is_no_provider_and_settings_of_ours_win():
    without = {name: value for name, value in SPACE.items() if not name.startswith(("OAUTH", "OPENID"))}
    assert not login(without).is_set
    found = login(SPACE | {"BAKEOFF_OIDC_ISSUER": "https://login.example.org"}).provider
    assert found is not None
    assert found.issuer == "https://login.example.org"
    assert not login({name: value for name, value in SPACE.items() if name != "SPACE_ID"}).is_set


def test_behind_https_cookies_are_sent_over_https_alone():
    assert Settings.from_env({"BAKEOFF_PUBLIC_URL": "https://arena.example.org"}).cookies == "secure"
    assert Settings.from_env({"BAKEOFF_PUBLIC_URL": "http://127.0.0.1:7860"}).cookies == "lax"
    both = {"BAKEOFF_PUBLIC_URL": "https://arena.example.org", "BAKEOFF_COOKIES": "embedded"}
    assert Settings.from_env(both).cookies == "embedded"


@pytest.mark.parametrize(
    "change",
    [
        {"BAKEOFF_HOST_PASSWORD_HASH": HASH.replace("A" * 43, "B" * 43)},
        {"BAKEOFF_HOSTS": "ada"},
        {"BAKEOFF_ANNOTATORS": "ada,grace"},
        {"BAKEOFF_OIDC_ISSUER": "https://other.example.org"},
        {"BAKEOFF_OIDC_CLAIM": "sub"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_change_of_who_gets_in_ends_all_sessions(change: dict[str, str]):
    before = PROVIDER | {"BAKEOFF_HOST_PASSWORD_HASH": HASH, "BAKEOFF_HOSTS": "ada,grace"}
    assert login(before | change).digest() != login(before).digest()
    assert login(before | {"BAKEOFF_HOSTS": "grace, ada"}).digest() == login(before).digest()


# ---- bakeoff password ----


def test_the_command_prints_a_setting_that_the_password_opens():
    typed = "three old walnut trees"
    run = CliRunner().invoke(cli, ["password"], input=f"{typed}\n{typed}\n")
    assert run.exit_code == 0
    name, _, value = run.stdout.strip().partition("=")
    found = login({name: value}).password
    assert found is not None
    assert found.matches(typed)
    assert typed not in run.stdout + run.stderr
    again = CliRunner().invoke(cli, ["password"], input=f"{typed}\n{typed}\n")
    assert again.stdout != run.stdout  # another salt


def test_the_command_asks_again_where_the_two_differ_and_refuses_a_short_one():
    run = CliRunner().invoke(cli, ["password"], input="three old walnut trees\nthree old chestnuts\nshort\nshort\n")
    assert isinstance(run.exception, BadInput)
    assert "at least 12" in str(run.exception)
    assert not run.stdout
