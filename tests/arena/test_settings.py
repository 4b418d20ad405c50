"""Settings: the environment is read in one place, aloud, and a secret is never shown."""

import os
from ipaddress import ip_network
from pathlib import Path

import pytest

from arena.battle import Source
from arena.errors import BadInput
from arena.limits import Act, Whose
from arena.settings import PREFIX, Settings

SECRET = "s" * 40
HASH = f"scrypt:32768:8:3:{'A' * 22}:{'A' * 43}"


def refusal(environ: dict[str, str]) -> str:
    with pytest.raises(BadInput) as caught:
        Settings.from_env(environ)
    return str(caught.value)


def test_an_empty_environment_gives_the_defaults():
    assert Settings.from_env({}) == Settings()
    assert Settings.from_env({"PATH": "/bin", "BAKE": "x"}) == Settings()


def test_every_setting_can_be_set():
    settings = Settings.from_env(
        {
            "BAKEOFF_DATABASE": "/tmp/x.duckdb",  # noqa: S108 - only a name
            "BAKEOFF_PACK": "my-pack",
            "BAKEOFF_HOST": "0.0.0.0",  # noqa: S104 - only a value
            "BAKEOFF_PORT": "0",
            "BAKEOFF_SECRET": SECRET,
            "BAKEOFF_OLD_SECRETS": SECRET.replace("s", "z"),
            "BAKEOFF_COOKIES": "secure",
            "BAKEOFF_SOURCES": "human, import",
            "BAKEOFF_RATE_EVERY_SECONDS": "1.5",
            "BAKEOFF_RATE_AFTER_VOTES": "7",
            "BAKEOFF_TRUSTED_PROXIES": "10.0.0.7, 2001:db8::/32",
            **{f"BAKEOFF_{act}_{whose}".upper(): "7/hour" for act in Act for whose in Whose},
            "BAKEOFF_HOST_PASSWORD_HASH": HASH,
            "BAKEOFF_OIDC_ISSUER": "https://login.example.org/",
            "BAKEOFF_OIDC_CLIENT_ID": "arena",
            "BAKEOFF_OIDC_CLIENT_SECRET": SECRET,
            "BAKEOFF_OIDC_SCOPES": "openid email",
            "BAKEOFF_OIDC_CLAIM": "email",
            "BAKEOFF_PUBLIC_URL": "https://arena.example.org",
            "BAKEOFF_HOSTS": "ada, grace",
            "BAKEOFF_RESEARCHERS": "emmy",
            "BAKEOFF_ANNOTATORS": "sofia",
            "BAKEOFF_VOTING": "annotators",
            "BAKEOFF_RESULTS": "researchers",
            "BAKEOFF_SESSION_HOURS": "0.5",
            "BAKEOFF_SIGNED_AS": "The committee",
            "BAKEOFF_CONNECTIONS_PER_ADDRESS": "9",
            "BAKEOFF_HUB_TOKEN": SECRET,
            "BAKEOFF_HUB_ENDPOINT": "https://hub.example.org",
            "BAKEOFF_SIGNAL_TOKEN": "t" * 32,
        }
    )
    assert {name for name in Settings.model_fields if getattr(settings, name) == getattr(Settings(), name)} == set()
    assert settings.sources == (Source.HUMAN, Source.IMPORT)
    assert settings.trusted_proxies == (ip_network("10.0.0.7/32"), ip_network("2001:db8::/32"))
    assert set(map(str, settings.limits.values())) == {"7/hour"}
    assert settings.open_secrets() == (SECRET.encode(), SECRET.replace("s", "z").encode())


def test_an_unknown_name_is_refused_with_the_known_ones():
    message = refusal({"BAKEOFF_PROT": "80"})
    assert "BAKEOFF_PROT" in message
    for name in Settings.model_fields:
        assert PREFIX + name.upper() in message


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "x"),
        ("PORT", "65536"),
        ("PORT", "-1"),
        ("HOST", ""),
        ("SOURCES", ""),
        ("TRUSTED_PROXIES", "10.0.0.7/8"),
        ("TRUSTED_PROXIES", "proxy"),
        ("VOTES_PER_VOTER", "many"),
        ("REQUESTS_IN_ALL", "0/minute"),
        ("SOURCES", "people"),
        ("SOURCES", "human,"),
        ("COOKIES", "Lax"),
        ("RATE_EVERY_SECONDS", "0"),
        ("RATE_EVERY_SECONDS", "nan"),
        ("RATE_EVERY_SECONDS", "inf"),
        ("RATE_AFTER_VOTES", "0"),
        ("DATABASE", ""),
        ("PACK", ""),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_by_its_name(name: str, value: str):
    message = refusal({PREFIX + name: value})
    assert PREFIX + name in message
    assert "\n" not in message


@pytest.mark.parametrize("secret", ["", "hunter2", "ß" * 31])
def test_a_short_secret_is_refused_and_not_shown(secret: str):
    message = refusal({"BAKEOFF_SECRET": secret})
    assert "BAKEOFF_SECRET" in message
    assert not secret or secret not in message


def test_a_secret_is_never_shown():
    settings = Settings.from_env({"BAKEOFF_SECRET": SECRET})
    for text in (repr(settings), str(settings), settings.model_dump_json(), str(settings.model_dump())):
        assert SECRET not in text


def test_the_variables_of_the_tests_are_no_settings():
    assert Settings.from_env({"BAKEOFF_REQUIRE_ALL": "1", "BAKEOFF_REQUIRE_LLMFAO": "1"}) == Settings()


def test_on_a_space_the_cookie_is_sent_inside_a_frame_unless_set_otherwise():
    assert Settings.from_env({"SPACE_ID": "me/arena"}).cookies == "embedded"
    assert Settings.from_env({"SPACE_ID": "me/arena", "BAKEOFF_COOKIES": "secure"}).cookies == "secure"
    assert Settings.from_env({"SPACE_ID": ""}).cookies == "lax"


def test_the_secret_has_a_file_beside_the_database(tmp_path: Path):
    settings = Settings(database=tmp_path / "arena.duckdb")
    secret = settings.open_secrets()
    assert settings.secret_file == tmp_path / "arena.duckdb.key"
    assert settings.open_secrets() == secret
    assert [path.name for path in tmp_path.iterdir()] == ["arena.duckdb.key"]


def test_a_secret_that_is_set_makes_no_file(tmp_path: Path):
    settings = Settings.from_env({"BAKEOFF_DATABASE": str(tmp_path / "arena.duckdb"), "BAKEOFF_SECRET": SECRET})
    settings.open_secrets()
    assert not list(tmp_path.iterdir())


def test_reading_settings_leaves_the_environment_alone():
    before = dict(os.environ)
    Settings.from_env(os.environ)
    assert dict(os.environ) == before


def test_on_a_space_private_networks_are_trusted_unless_the_host_says_otherwise():
    on_a_space = {"SPACE_ID": "someone/arena"}
    assert Settings.from_env({}).trusted_proxies is None
    assert ip_network("10.0.0.0/8") in (Settings.from_env(on_a_space).trusted_proxies or ())
    assert Settings.from_env(on_a_space | {"BAKEOFF_TRUSTED_PROXIES": ""}).trusted_proxies == ()


@pytest.mark.parametrize("token", ["", "t" * 31, "t" * 31 + " ", "ü" * 32, "t" * 1001])
def test_a_token_that_could_be_guessed_or_not_be_sent_is_refused_and_never_shown(token: str):
    message = refusal({"BAKEOFF_SIGNAL_TOKEN": token})
    assert "BAKEOFF_SIGNAL_TOKEN has an unusable value: " in message
    assert not token or token not in message
    assert "t" * 32 not in repr(Settings.from_env({"BAKEOFF_SIGNAL_TOKEN": "t" * 32}))
