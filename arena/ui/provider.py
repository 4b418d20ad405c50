"""Signing in by a provider of OpenID: the authorization code flow with PKCE, state and nonce.

OpenID Connect Core 1.0 (sections 3.1 and 5.3), Discovery 1.0, RFC 7636 (PKCE) and RFC 9207 (issuer in the answer).
Authlib speaks the protocol and checks the claims, joserfc the signature of the ID token. What is contacted is the
issuer of the settings and the addresses that it names, and nothing that a client sends.
"""

import asyncio
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx2
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from pydantic import BaseModel, ValidationError

from arena.errors import ArenaError
from arena.login import OpenId

# With a public key anybody could sign by HS256, hence none of that family, and not "none".
_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
_KINDS_OF_KEYS = {"RSA", "EC", "OKP"}
_PATIENCE_SECONDS = 10.0
_KEPT_FOR = timedelta(hours=1)
# An ID token of an unknown key makes us look for new keys; no more often than this.
_LOOKS_AFTER = timedelta(minutes=1)
_LEEWAY_SECONDS = 60


class ProviderSilent(ArenaError):
    """The provider cannot be reached, or answers with something that is no OpenID."""


class NotVouchedFor(ArenaError):
    """The provider, or its ID token, does not say who this is. The text holds nothing of what was sent."""


@dataclass(frozen=True)
class Asked:
    """What a sign-in began with, kept by the browser until it comes back."""

    state: str
    nonce: str
    verifier: str

    @classmethod
    def new(cls) -> "Asked":
        """128 bits of chance and more for each."""
        return cls(secrets.token_urlsafe(16), secrets.token_urlsafe(16), secrets.token_urlsafe(48))


@dataclass(frozen=True, repr=False)
class Account:
    """Whom the provider vouches for. Neither is stored nor logged; `key` goes into a keyed hash."""

    name: str
    key: str


class _Metadata(BaseModel):
    """What we need of the provider's description of itself."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    token_endpoint_auth_methods_supported: list[str] = ["client_secret_basic"]


@dataclass(frozen=True)
class _Known:
    """A provider's description and its keys, as of a time."""

    metadata: _Metadata
    keys: KeySet
    at: datetime


class Provider:
    """One provider. It is asked when somebody signs in, not before; an arena starts and takes votes without it."""

    def __init__(self, settings: OpenId):
        self._settings = settings
        self._redirect_uri = f"{settings.public_url}/login/callback"
        self._known: _Known | None = None
        self._lock = asyncio.Lock()

    async def address(self, asked: Asked, now: datetime) -> str:
        """Where the browser goes to sign in. Raises ProviderSilent."""
        known = await self._look(now, no_older_than=_KEPT_FOR)
        async with self._client(known.metadata) as client:
            url, _ = client.create_authorization_url(
                known.metadata.authorization_endpoint,
                state=asked.state,
                nonce=asked.nonce,
                code_verifier=asked.verifier,
            )
        return url

    async def account(self, answer: Mapping[str, str], asked: Asked, now: datetime) -> Account:
        """Whom the provider vouches for in its answer, the parameters of the address that the browser came back to.

        Raises NotVouchedFor where any part is missing or does not fit, ProviderSilent.
        """
        if not hmac.compare_digest(answer.get("state", "").encode(), asked.state.encode()):
            raise NotVouchedFor("the answer belongs to another sign-in (state)")
        known = await self._look(now, no_older_than=_KEPT_FOR)
        if answer.get("iss", known.metadata.issuer) != known.metadata.issuer:
            raise NotVouchedFor("the answer comes from another provider (iss)")
        if "error" in answer or not answer.get("code"):
            raise NotVouchedFor("the provider gave no code")
        try:
            async with self._client(known.metadata) as client:
                token = await client.fetch_token(
                    known.metadata.token_endpoint,
                    grant_type="authorization_code",
                    code=answer["code"],
                    code_verifier=asked.verifier,
                )
                claims = await self._claims(token, asked, known, now)
                if self._settings.claim not in claims and known.metadata.userinfo_endpoint:
                    claims |= await _user_info(client, known.metadata.userinfo_endpoint, token, claims["sub"])
        except httpx2.HTTPError as error:
            raise ProviderSilent(f"the OpenID provider does not answer: {type(error).__name__}") from error
        except (AuthlibBaseError, JoseError, ValueError, KeyError, TypeError, AttributeError) as error:
            # Their texts may repeat what was sent; the kind of error is enough.
            reason = getattr(error, "error", "") or type(error).__name__
            raise NotVouchedFor(f"the provider's answer was not accepted ({reason})") from None
        return self._named(claims)

    def _named(self, claims: Mapping[str, Any]) -> Account:
        claim = self._settings.claim
        name = claims.get(claim)
        if not isinstance(name, str) or not name:
            raise NotVouchedFor(f"the provider tells no {claim} of this account; see BAKEOFF_OIDC_CLAIM")
        if claim == "email" and claims.get("email_verified") is not True:
            raise NotVouchedFor("the provider has not verified this email")
        return Account(name, f"{claims['iss']}\0{claims['sub']}")

    async def _claims(self, token: Mapping[str, Any], asked: Asked, known: _Known, now: datetime) -> dict[str, Any]:
        """The claims of the ID token, its signature, issuer, audience, times, nonce and at_hash having been checked."""
        text = token["id_token"]
        try:
            decoded = jwt.decode(text, known.keys, algorithms=_ALGORITHMS)
        except (JoseError, ValueError):
            newer = await self._look(now, no_older_than=_LOOKS_AFTER)
            if newer is known:
                raise
            decoded = jwt.decode(text, newer.keys, algorithms=_ALGORITHMS)
        client_id = self._settings.client_id
        claims = CodeIDToken(
            decoded.claims,
            decoded.header,
            {
                "iss": {"essential": True, "value": known.metadata.issuer},
                "aud": {"essential": True, "value": client_id},
                "sub": {"essential": True},
            },
            {"nonce": asked.nonce, "client_id": client_id, "access_token": token.get("access_token")},
        )
        claims.validate(now=int(now.timestamp()), leeway=_LEEWAY_SECONDS)
        if not isinstance(claims["sub"], str) or not claims["sub"]:
            raise NotVouchedFor("the ID token names nobody (sub)")
        return dict(claims)

    async def _look(self, now: datetime, *, no_older_than: timedelta) -> _Known:
        """The provider's description and keys, asked for anew where they are older."""
        async with self._lock:
            if self._known is None or now - self._known.at >= no_older_than:
                self._known = await self._ask(now)
            return self._known

    async def _ask(self, now: datetime) -> _Known:
        issuer = self._settings.issuer
        try:
            async with _http() as http:
                described = await http.get(f"{issuer}/.well-known/openid-configuration")
                metadata = _Metadata.model_validate_json(described.raise_for_status().content)
                # A provider may call itself with a stroke at the end, and ID tokens repeat that.
                if metadata.issuer.rstrip("/") != issuer:
                    raise ProviderSilent(f"BAKEOFF_OIDC_ISSUER is {issuer}, and what is there calls itself otherwise")
                for address in (metadata.authorization_endpoint, metadata.token_endpoint, metadata.jwks_uri):
                    if urlsplit(address).scheme != "https" and urlsplit(issuer).scheme == "https":
                        raise ProviderSilent("the OpenID provider names an address without https")
                found = (await http.get(metadata.jwks_uri)).raise_for_status().json()["keys"]
            usable = [key for key in found if key.get("kty") in _KINDS_OF_KEYS and key.get("use", "sig") == "sig"]
            return _Known(metadata, KeySet.import_key_set({"keys": usable}), now)
        except httpx2.HTTPError as error:
            raise ProviderSilent(f"the OpenID provider {issuer} does not answer: {type(error).__name__}") from error
        except (ValidationError, JoseError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ProviderSilent(f"{issuer} does not answer as an OpenID provider: {type(error).__name__}") from error

    def _client(self, metadata: _Metadata) -> Any:  # Authlib's client is httpx2's, which its types do not tell
        is_basic = "client_secret_basic" in metadata.token_endpoint_auth_methods_supported
        return AsyncOAuth2Client(
            self._settings.client_id,
            self._settings.client_secret,
            token_endpoint_auth_method="client_secret_basic" if is_basic else "client_secret_post",
            scope=self._settings.scopes,
            redirect_uri=self._redirect_uri,
            code_challenge_method="S256",
            timeout=_PATIENCE_SECONDS,
            trust_env=False,
            follow_redirects=False,
        )


def _http() -> httpx2.AsyncClient:
    # trust_env: the environment is read in arena/settings.py alone.
    return httpx2.AsyncClient(timeout=_PATIENCE_SECONDS, trust_env=False, follow_redirects=False)


async def _user_info(client: Any, address: str, token: Mapping[str, Any], sub: str) -> dict[str, Any]:
    """What the provider tells beside the ID token; of the same account, and never about who it is."""
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    found = (await client.request("GET", address, withhold_token=True, headers=headers)).raise_for_status().json()
    if found.get("sub") != sub:
        raise NotVouchedFor("what the provider tells is of another account")
    return {name: found[name] for name in found if name not in ("iss", "sub", "aud", "nonce")}
