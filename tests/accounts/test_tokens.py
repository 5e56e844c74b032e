"""Access tokens and the keys behind them."""

from __future__ import annotations

import base64
import json
import stat
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jwt
from joserfc.jwk import KeySet, OctKey, RSAKey

from sample_agent.accounts import Identity, Keys, load_keys
from sample_agent.accounts.signing.keys import WeakKeyError
from sample_agent.core.database import Database
from sample_agent.core.identifiers import new_id
from sample_agent.core.settings import MissingSecretError, Settings
from tests.accounts.deployment import PUBLIC_URL, Person, Service

Forge = Callable[[dict[str, Any], dict[str, Any], Keys], str]


async def test_a_token_says_who_it_is_for_and_verifies_by_the_published_keys(service: Service, person: Person) -> None:
    member = await service.member(person)
    published = (await person.browser.get("/.well-known/jwks.json")).json()
    assert all("d" not in key and key["alg"] == "RS256" and key["use"] == "sig" for key in published["keys"])
    token = jwt.decode(member["token"], KeySet.import_key_set(published), algorithms=["RS256"])
    assert token.header["kid"] in {key["kid"] for key in published["keys"]}
    claims = token.claims
    assert claims["sub"] == member["user"]["id"]
    assert (claims["email"], claims["tier"], claims["verified"]) == (person.email, "free", True)
    assert (claims["iss"], claims["aud"], claims["typ"]) == (PUBLIC_URL, "sample-agent", "access")
    assert claims["exp"] - claims["iat"] == 3600
    assert {"jti", "sid"} <= claims.keys()

    pem = await person.browser.get("/api/auth/public-key")
    assert jwt.decode(member["token"], RSAKey.import_key(pem.text), algorithms=["RS256"]).claims == claims
    assert RSAKey.import_key(pem.text).raw_value.key_size == 3072


def _unsigned(header: dict[str, Any], claims: dict[str, Any], keys: Keys) -> str:
    return f"{_b64({**header, 'alg': 'none'})}.{_b64(claims)}."


def _unsigned_but_claiming_rs256(header: dict[str, Any], claims: dict[str, Any], keys: Keys) -> str:
    return f"{_b64(header)}.{_b64(claims)}."


def _hmac_with_the_public_key(header: dict[str, Any], claims: dict[str, Any], keys: Keys) -> str:
    secret = OctKey.import_key(base64.b64encode(keys.pem().encode()))
    return jwt.encode({**header, "alg": "HS256"}, claims, secret, algorithms=["HS256"])


def _key_of_their_own(header: dict[str, Any], claims: dict[str, Any], keys: Keys) -> str:
    return jwt.encode(header, claims, RSAKey.generate_key(2048), algorithms=["RS256"])


def _key_brought_along(header: dict[str, Any], claims: dict[str, Any], keys: Keys) -> str:
    own = RSAKey.generate_key(2048)
    header = {"alg": "RS256", "kid": own.thumbprint(), "jwk": own.as_dict(private=False)}
    return jwt.encode(header, claims, own, algorithms=["RS256"])


def _other_rsa_algorithm(header: dict[str, Any], claims: dict[str, Any], keys: Keys) -> str:
    assert keys.private is not None
    return jwt.encode({**header, "alg": "PS256"}, claims, keys.private, algorithms=["PS256"])


def _no_key_id(header: dict[str, Any], claims: dict[str, Any], keys: Keys) -> str:
    assert keys.private is not None
    return jwt.encode({"alg": "RS256"}, claims, keys.private, algorithms=["RS256"])


def _changed(**changes: Any) -> Forge:
    def signed_by_us(header: dict[str, Any], claims: dict[str, Any], keys: Keys) -> str:
        assert keys.private is not None
        changed = {name: value for name, value in {**claims, **changes}.items() if value is not None}
        return jwt.encode(header, changed, keys.private, algorithms=["RS256"])

    return signed_by_us


@pytest.mark.parametrize(
    "forge",
    [
        _unsigned,
        _unsigned_but_claiming_rs256,
        _hmac_with_the_public_key,
        _key_of_their_own,
        _key_brought_along,
        _other_rsa_algorithm,
        _no_key_id,
        _changed(iss="https://elsewhere.example"),
        _changed(aud="another-service"),
        _changed(typ="refresh"),
        _changed(typ=None),
        _changed(exp=None),
        _changed(sid=None),
        _changed(sid="not-an-id"),
        _changed(sub=str(new_id())),
        _changed(iat=int(time.time()) + 3600),
        _changed(exp="tomorrow"),
    ],
    ids=lambda forge: forge.__name__.strip("_"),
)
async def test_a_token_that_is_not_ours_is_refused(service: Service, person: Person, forge: Forge) -> None:
    token = (await service.member(person))["token"]
    header, claims = (json.loads(_unb64(part)) for part in token.split(".")[:2])
    answer = await person.me(forge(header, claims, service.keys))
    assert answer.status_code == 401
    assert answer.json()["code"] in {"token-invalid", "session-expired"}
    assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_a_refused_token_does_not_shut_out_the_one_it_imitates(service: Service, person: Person) -> None:
    token = (await service.member(person))["token"]
    header, claims = (json.loads(_unb64(part)) for part in token.split(".")[:2])
    imitation = _changed(sub=str(new_id()))(header, claims, service.keys)
    for expected, presented in ((401, imitation), (200, token), (401, imitation), (200, token)):
        assert (await person.me(presented)).status_code == expected


async def test_a_token_with_one_bit_changed_is_refused(service: Service, person: Person) -> None:
    token = (await service.member(person))["token"]
    header, claims, signature = token.split(".")
    promoted = _b64({**json.loads(_unb64(claims)), "tier": "enterprise"})
    assert (await person.me(f"{header}.{promoted}.{signature}")).json()["code"] == "token-invalid"
    assert (
        await person.me(f"{header}.{claims}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}")
    ).status_code == 401


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "." * 5, "e30.e30.", "x" * 9000, "ä.ö.ü"])
async def test_what_is_no_token_is_refused(person: Person, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}".encode()}
    answer = await person.browser.get("/api/auth/me", headers=headers)  # type: ignore[arg-type]
    assert answer.status_code == 401


async def test_missing_expired_and_ended_are_told_apart(service: Service, person: Person) -> None:
    member = await service.member(person)
    assert (await person.browser.get("/api/auth/me")).json()["code"] == "unauthenticated"
    expired = service.identity.tokens
    service.identity.tokens = type(expired)(
        service.keys, issuer=PUBLIC_URL, seconds=60, now=lambda: _an_hour_later(service)
    )
    assert (await person.me(member["token"])).json()["code"] == "token-expired"


async def test_tokens_of_the_previous_key_stay_good_while_it_is_kept(
    service: Service, database: Database, person: Person, tmp_path: Path
) -> None:
    member = await service.member(person)
    keys_dir = tmp_path / "rotated" / "keys"
    keys_dir.mkdir(parents=True)
    (keys_dir / "jwt-previous.pem").write_text(service.keys.pem())
    rotated = service.settings.model_copy(update={"data_dir": tmp_path / "rotated"})
    keys = load_keys(rotated)
    assert len(keys.jwks()["keys"]) == 2
    after = Service(rotated, database, keys)
    async with after.visitor(person.email) as visitor:
        assert (await visitor.me(member["token"])).status_code == 200
        fresh = (await visitor.login()).json()["token"]
    assert (await person.me(fresh)).json()["code"] == "token-invalid"

    (keys_dir / "jwt-previous.pem").unlink()
    retired = Service(rotated, database, load_keys(rotated))
    async with retired.visitor(person.email) as visitor:
        assert (await visitor.me(fresh)).status_code == 200
        assert (await visitor.me(member["token"])).json()["code"] == "token-invalid"


def test_several_processes_that_start_at_once_make_one_key(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, data_dir=tmp_path)
    with ThreadPoolExecutor(4) as pool:
        keys = list(pool.map(lambda _: load_keys(settings), range(4)))
    assert len({pair.pem() for pair in keys}) == 1
    assert all(len(pair.public) == 1 for pair in keys)
    private, public = tmp_path / "keys/jwt-private.pem", tmp_path / "keys/jwt-public.pem"
    assert (stat.S_IMODE(private.stat().st_mode), stat.S_IMODE(public.stat().st_mode)) == (0o600, 0o644)
    assert "PRIVATE" not in public.read_text()
    assert sorted(path.name for path in (tmp_path / "keys").iterdir()) == ["jwt-private.pem", "jwt-public.pem"]


async def test_a_service_with_the_public_key_alone_verifies_and_cannot_sign(
    service: Service, database: Database, person: Person, tmp_path: Path
) -> None:
    member = await service.member(person)
    settings = service.settings.model_copy(
        update={"jwt_public_key": service.keys.pem().replace("\n", "\\n"), "data_dir": tmp_path / "elsewhere"}
    )
    keys = load_keys(settings, signing=False)
    assert keys.private is None
    assert not (tmp_path / "elsewhere/keys/jwt-private.pem").exists()
    principal = await Identity(settings, database, keys).authenticate(member["token"])
    assert principal.email == person.email
    with pytest.raises(RuntimeError):
        Identity(settings, database, keys).tokens.issue(
            user_id=principal.user_id, session_id=principal.session_id, email="", tier="free"
        )


def test_production_does_not_invent_a_signing_key(tmp_path: Path) -> None:
    production = Settings(_env_file=None, environment="production", data_dir=tmp_path)
    with pytest.raises(MissingSecretError, match="JWT_PRIVATE_KEY"):
        load_keys(production)
    with pytest.raises(MissingSecretError, match="JWT_PUBLIC_KEY"):
        load_keys(production, signing=False)


def _short_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.mark.parametrize("pem", ["", "not a key", _short_key()], ids=["empty", "words", "short"])
def test_a_key_that_is_weak_or_none_is_refused_with_a_reason(tmp_path: Path, pem: str) -> None:
    with pytest.raises(WeakKeyError, match="RSA key"):
        load_keys(Settings(_env_file=None, data_dir=tmp_path, jwt_private_key=pem))


def _an_hour_later(service: Service) -> Any:
    from datetime import timedelta

    return service.clock() + timedelta(hours=1, seconds=31)


def _b64(content: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


def _unb64(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
