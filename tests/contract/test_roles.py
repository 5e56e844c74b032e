"""Every route and everybody who might ask for it: who is let in, and what the others are told.

The table below is what is meant; the routes come from the OpenAPI file, and one that the table says nothing of fails.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from secrets import token_bytes
from uuid import UUID, uuid4

import httpx
import pytest
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncSession

from sample_agent.accounts.live_keys import key_hash, new_key
from sample_agent.accounts.models import ApiKey, Passkey, Session, User
from sample_agent.accounts.organizations.models import Invitation, Membership, Organization
from sample_agent.accounts.scopes import SCOPES
from sample_agent.core.identifiers import new_id
from tests.contract.household import Household, client
from tests.contract.operations import KIND_OF, OPERATIONS, STREAMS, Ids, Operation
from tests.people import new_email

IN = "is let in"
"""Whatever the answer then is: that something is missing, wrong, or done."""
HIDDEN = "not-found"
LOOKS = "may look"
"""Is let in to what changes nothing, and refused everything else."""

OWN = {
    "visitor": "unauthenticated",
    "owner": IN,
    "owner, signed in long ago": IN,
    "owner's key with the scope": IN,
    "owner's key without the scope": "missing-scope",
    "member of the organization": IN,
    "administrator of the organization": IN,
    "somebody else": IN,
    "administrator": IN,
    "administrator, signed in long ago": IN,
    "administrator without a second factor": IN,
    "administrator's key with the scope": IN,
    "administrator who looks through the owner's eyes": LOOKS,
    "suspended owner": "session-expired",
    "suspended owner's key": "token-invalid",
    "owner who leaves": IN,
    "key of an owner who leaves": "token-invalid",
}
"""What is everybody's own, by session or by key."""

NOT_FOR_KEYS = dict.fromkeys(
    ("owner's key with the scope", "owner's key without the scope", "administrator's key with the scope"),
    "session-required",
)
OTHERS = ("somebody else", "administrator", "administrator, signed in long ago",
          "administrator without a second factor", "administrator's key with the scope")  # fmt: skip
COLLEAGUES = ("member of the organization", "administrator of the organization")
LONG_AGO = ("owner, signed in long ago", "administrator, signed in long ago")

THING = OWN | dict.fromkeys((*OTHERS, *COLLEAGUES), HIDDEN)
"""Something of the owner's."""
PERSON = OWN | NOT_FOR_KEYS
"""What people do and programs do not."""
PERSON_AND_THING = THING | NOT_FOR_KEYS
PROVED = PERSON | dict.fromkeys(LONG_AGO, "step-up-required")
"""What needs a proof of the last minutes."""
PROVED_AND_THING = PERSON_AND_THING | dict.fromkeys(LONG_AGO, "step-up-required")

FACTOR_PROVED = {"administrator without a second factor": "step-up-required"}
"""Where there are factors, one has to have been part of the sign-in before they are changed."""
TEAM = OWN | dict.fromkeys(OTHERS, HIDDEN)
"""What everybody in an organization may do there."""
TEAM_ADMINISTRATION = TEAM | {"member of the organization": "role-too-low"}
TEAM_ADMINISTRATION_BY_PEOPLE = TEAM_ADMINISTRATION | NOT_FOR_KEYS
TEAM_OWNERSHIP_PROVED = (
    TEAM | dict.fromkeys(COLLEAGUES, "role-too-low") | NOT_FOR_KEYS | dict.fromkeys(LONG_AGO, "step-up-required")
)

ADMINISTRATION = dict.fromkeys(OWN, "administrators-only") | {
    "visitor": "unauthenticated",
    "owner's key without the scope": "missing-scope",
    "administrator": IN,
    "administrator, signed in long ago": IN,
    "administrator without a second factor": "second-factor-missing",
    "administrator's key with the scope": IN,
    "administrator who looks through the owner's eyes": "administrators-only",
    "suspended owner": "session-expired",
    "suspended owner's key": "token-invalid",
    "key of an owner who leaves": "token-invalid",
}
CHANGING_AS_ADMINISTRATOR = ADMINISTRATION | {"administrator who looks through the owner's eyes": "only-looking"}
SURE_ADMINISTRATION = CHANGING_AS_ADMINISTRATOR | {"administrator, signed in long ago": "step-up-required"}

ANYBODY = dict.fromkeys(OWN, IN)
NO_REFRESH_TOKEN = dict.fromkeys(OWN, "session-expired")
THIS_SESSION = PERSON | {"administrator who looks through the owner's eyes": IN}
THIS_LOOK = dict.fromkeys(OWN, "not-impersonating") | {
    "visitor": "unauthenticated",
    "administrator who looks through the owner's eyes": IN,
    "suspended owner": "session-expired",
    "suspended owner's key": "token-invalid",
    "key of an owner who leaves": "token-invalid",
}

TABLE: list[tuple[str, Mapping[str, str]]] = [
    (r"GET (/api/health|/config\.json|/\.well-known/jwks\.json|/api/auth/public-key|/api/billing/plans)", ANYBODY),
    (r"GET /api/avatars/\{user_id\}/\{picture\}", ANYBODY),
    (r"POST /api/auth/(register|verify-email|resend-verification|forgot-password|reset-password)", ANYBODY),
    (r"POST /api/auth/(confirm-email|undo-email-change|keep-account)", ANYBODY),
    (r"POST /api/auth/login(/second-factor|/passkey|/passkey/options)?", ANYBODY),
    (r"POST /api/invitations/preview", ANYBODY),
    (r"POST /api/auth/refresh", NO_REFRESH_TOKEN),
    (r"POST /api/auth/logout", THIS_SESSION),
    (r"DELETE /api/admin/impersonation", THIS_LOOK),
    (r"GET /api/auth/me", OWN),
    (r"GET /api/account/preferences", OWN),
    (r"(GET|DELETE) /api/auth/sessions", PERSON),
    (r"DELETE /api/auth/sessions/\{session_id\}", PERSON_AND_THING),
    (r"POST /api/auth/step-up(/passkey-options)?", PERSON),
    (r"PATCH /api/account", PERSON),
    (r"PUT /api/account/preferences", PERSON),
    (r"(PUT|DELETE) /api/account/avatar", PERSON),
    (r"POST /api/account/password", PERSON),
    (r"POST /api/account/email", PROVED),
    (r"GET /api/account/(activity|factors|exports)", PERSON),
    (r"POST /api/account/factors/(totp/confirm|passkeys)", PERSON),
    (r"(POST|DELETE) /api/account/factors/totp", PROVED | FACTOR_PROVED),
    (r"POST /api/account/factors/(recovery-codes|passkeys/options)", PROVED | FACTOR_PROVED),
    (r"PATCH /api/account/factors/passkeys/\{passkey_id\}", PERSON_AND_THING),
    (r"DELETE /api/account/factors/passkeys/\{passkey_id\}", PROVED_AND_THING | FACTOR_PROVED),
    (r"POST /api/account/exports", PROVED),
    (r"GET /api/account/exports/\{export_id\}", PERSON_AND_THING),
    (r"POST /api/account/exports/\{export_id\}/link", PROVED_AND_THING),
    (r"POST /api/account/deletion", PROVED),
    (r"DELETE /api/account/deletion", PERSON),
    (r"GET /api/user/api-keys", PERSON),
    (r"POST /api/user/api-keys", PROVED),
    (r"POST /api/user/api-keys/\{api_key_id\}/rotate", PROVED_AND_THING),
    (r"DELETE /api/user/api-keys/\{api_key_id\}", PERSON_AND_THING),
    (r"(GET|POST) /api/organizations", OWN),
    (r"GET /api/organizations/\{organization_id\}(/members)?", TEAM),
    (r"PATCH /api/organizations/\{organization_id\}", TEAM_ADMINISTRATION),
    (r"DELETE /api/organizations/\{organization_id\}", TEAM_OWNERSHIP_PROVED),
    (r"POST /api/organizations/\{organization_id\}/transfer", TEAM_OWNERSHIP_PROVED),
    (r"(PATCH|DELETE) /api/organizations/\{organization_id\}/members/\{member_id\}", TEAM_ADMINISTRATION_BY_PEOPLE),
    (r"GET /api/organizations/\{organization_id\}/(invitations|activity)", TEAM_ADMINISTRATION),
    (r"POST /api/organizations/\{organization_id\}/invitations", TEAM_ADMINISTRATION_BY_PEOPLE),
    (r"DELETE /api/organizations/\{organization_id\}/invitations/\{invitation_id\}", TEAM_ADMINISTRATION),
    (r"GET /api/invitations", OWN),
    (r"POST /api/invitations/accept", PERSON),
    (r"(POST|DELETE) /api/invitations/\{invitation_id\}(/accept)?", PERSON_AND_THING),
    (r"GET /api/admin/.*", ADMINISTRATION),
    (r"POST /api/admin/users/\{user_id\}/sign-out", CHANGING_AS_ADMINISTRATOR),
    (r"(PUT|DELETE) /api/admin/users/\{user_id\}", SURE_ADMINISTRATION),
    (r"POST /api/admin/users/\{user_id\}/reset-factors", SURE_ADMINISTRATION),
    (r"POST /api/admin/users/\{user_id\}/impersonation", SURE_ADMINISTRATION | NOT_FOR_KEYS),
    (r"GET /api/usage", OWN),
    (r"(GET|POST) /api/samples", OWN),
    (r"POST /api/upload", OWN),
    (r"GET /api/facets", OWN),
    (r"DELETE /api/trash", OWN),
    (r"[A-Z]+ /api/samples/\{sample_id\}.*", THING),
    (r"(GET|POST) /api/collections", OWN),
    (r"[A-Z]+ /api/collections/\{collection_id\}.*", THING),
    (r"GET /api/jobs", OWN),
    (r"[A-Z]+ /api/jobs/\{job_id\}.*", THING),
    (r"(GET|POST) /api/reanalysis(/cancel)?", OWN),
]
"""Which routes, and what each of those who may come is told there."""

REFUSALS = {
    "unauthenticated", "token-expired", "token-invalid", "session-expired", "session-required", "missing-scope",
    "step-up-required", "second-factor-missing", "administrators-only", "only-looking", "role-too-low",
    "not-impersonating", "not-from-here", "forbidden",
}  # fmt: skip
"""What somebody is told who is not let in, however right their request is."""

answered = {name: each for name, each in OPERATIONS.items() if each.name not in STREAMS}


@dataclass(frozen=True)
class World:
    """An owner with an organization, those around them, and the credential of each."""

    credentials: dict[str, str | None]
    ids: Ids


@pytest_asyncio.fixture(scope="module")
async def visitor_http(household: Household) -> AsyncIterator[httpx.AsyncClient]:
    async with client(household.app) as http:
        yield http


def test_every_route_is_in_the_table_once() -> None:
    for name in OPERATIONS.keys() - {name for name, each in OPERATIONS.items() if each.name in STREAMS}:
        assert len([pattern for pattern, _ in TABLE if re.fullmatch(pattern, name)]) == 1, name


def test_every_line_of_the_table_is_about_some_route() -> None:
    assert [pattern for pattern, _ in TABLE if not any(re.fullmatch(pattern, name) for name in OPERATIONS)] == []


@pytest.mark.parametrize("operation", answered.values(), ids=answered)
async def test_each_is_told_what_the_table_says(
    household: Household, visitor_http: httpx.AsyncClient, operation: Operation
) -> None:
    told = {}
    for role in OWN:
        world = await _world(household, operation, role)
        told[role] = await _told(visitor_http, operation, world, role)
    assert told == {role: _meant(operation, role) for role in OWN}


def _meant(operation: Operation, role: str) -> str:
    meant = next(rule for pattern, rule in TABLE if re.fullmatch(pattern, str(operation)))[role]
    if meant == LOOKS:
        return IN if operation.method == "GET" else "only-looking"
    return meant


async def _told(http: httpx.AsyncClient, operation: Operation, world: World, role: str) -> str:
    request = operation.request(world.ids)
    credential = world.credentials[role]
    if credential is not None:
        request["headers"] = {**request.get("headers", {}), "Authorization": f"Bearer {credential}"}
    http.cookies.clear()
    answer = await http.request(**request)
    assert answer.status_code < 500, (role, answer.text)
    if answer.is_success:
        return IN
    code: str = answer.json()["code"]
    expects_hidden = _meant(operation, role) == HIDDEN
    return code if code in REFUSALS or (code == HIDDEN and expects_hidden) else IN


async def _world(household: Household, operation: Operation, role: str) -> World:
    """A world of its own for each request: what is let in may end it."""
    identity = household.app.state.identity
    now = datetime.now(UTC)
    people = {name: new_id() for name in ("owner", "member", "admin", "stranger", "administrator", "subject")}
    organization, sessions = new_id(), {}
    async with identity.database.transaction(purpose="identity") as db:
        for name, user_id in people.items():
            is_owner = name == "owner"
            user = User(id=user_id, email=new_email(), password_hash="", email_verified_at=now)
            user.is_superuser = name == "administrator"
            user.is_active = not (is_owner and role.startswith("suspended"))
            user.delete_after = now + timedelta(days=30) if is_owner and role.endswith("who leaves") else None
            db.add(user)
        db.add(Organization(id=organization, name="something else"))
        await db.flush()
        for name, held in {"owner": "owner", "admin": "admin", "member": "member", "subject": "member"}.items():
            db.add(Membership(organization_id=organization, user_id=people[name], role=held))
        invitation = Invitation(
            id=new_id(), organization_id=organization, user_id=people["owner"], email=new_email(), role="member",
            token_hash=token_bytes(32), expires_at=now + timedelta(days=7),
        )  # fmt: skip
        passkey, _ = passkeys = [
            Passkey(id=new_id(), user_id=each, name="", credential_id=token_bytes(), public_key=b"", transports=[])
            for each in (people["owner"], people["administrator"])
        ]
        db.add_all([invitation, *passkeys])
        long_ago = now - timedelta(minutes=identity.settings.step_up_minutes + 1)
        for name, user, proved, factor, looks in (
            ("owner", "owner", now, True, False),
            ("owner, signed in long ago", "owner", long_ago, True, False),
            ("member of the organization", "member", now, True, False),
            ("administrator of the organization", "admin", now, True, False),
            ("somebody else", "stranger", now, True, False),
            ("administrator", "administrator", now, True, False),
            ("administrator, signed in long ago", "administrator", long_ago, True, False),
            ("administrator without a second factor", "administrator", now, False, False),
            ("administrator who looks through the owner's eyes", "owner", now, False, True),
            ("suspended owner", "owner", now, True, False),
            ("owner who leaves", "owner", now, True, False),
        ):
            session = _session(db, people[user], proved, second_factor=factor)
            session.impersonator_id = people["administrator"] if looks else None
            sessions[name] = identity.tokens.issue(
                user_id=people[user], session_id=session.id, email="", tier=identity.settings.plan_for_new_accounts
            )
        needed = [operation.scope] if operation.scope else list(SCOPES)
        rest = [scope for scope in SCOPES if scope != operation.scope]
        another = _session(db, people["owner"], now, second_factor=False)
        kept, _ = _key(db, people["owner"], ["account:read"])
        keys = {
            "owner's key with the scope": _key(db, people["owner"], needed)[1],
            "owner's key without the scope": _key(db, people["owner"], rest)[1],
            "administrator's key with the scope": _key(db, people["administrator"], needed)[1],
            "suspended owner's key": _key(db, people["owner"], needed)[1],
            "key of an owner who leaves": _key(db, people["owner"], needed)[1],
        }
    ids = {kind: uuid4() for kind in KIND_OF.values()} | {
        "session": another.id, "passkey": passkey.id, "api key": kept, "organization": organization,
        "invitation": invitation.id, "member": people["subject"], "user": people["subject"],
    }  # fmt: skip
    return World({"visitor": None, **sessions, **keys}, ids)


def _session(db: AsyncSession, user_id: UUID, proved: datetime, *, second_factor: bool) -> Session:
    now = datetime.now(UTC)
    session = Session(
        id=new_id(), user_id=user_id, created_at=proved, last_used_at=now, authenticated_at=proved,
        second_factor=second_factor, expires_at=now + timedelta(days=1),
    )  # fmt: skip
    db.add(session)
    return session


def _key(db: AsyncSession, user_id: UUID, scopes: list[str]) -> tuple[UUID, str]:
    key = new_key()
    row = ApiKey(id=new_id(), user_id=user_id, name="", key_hash=key_hash(key), hint=key[-4:], scopes=scopes)
    db.add(row)
    return row.id, key
