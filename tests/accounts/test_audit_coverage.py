"""Each operation that changes an account, a team or an installation leaves what it should in the audit log: no more.

The table names them all; an operation that is not in it fails the test, and so does one that was not tried. They are
tried in one walk through what people do, in the order in which they can be done.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sample_agent import admin
from sample_agent.accounts.audit import Action
from sample_agent.accounts.audit.models import AuditEntry
from sample_agent.accounts.privacy.models import DataExport
from sample_agent.apps.openapi import api_description
from sample_agent.apps.wiring import make_storage
from sample_agent.core.database import Database
from tests.accounts.deployment import PASSWORD, Person, Service, fresh_address, link_token
from tests.accounts.members import FACTORS, Member, sign_in
from tests.accounts.test_avatar import _picture as picture

NOTHING: tuple[Action, ...] = ()

EXPECTED: dict[str, tuple[Action, ...]] = {
    # Signing up and in.
    "register": NOTHING,  # there is nobody yet in whose log it could stand
    "resend_verification": NOTHING,
    "verify_email": (Action.ACCOUNT_CREATED, Action.SIGNED_IN),
    "login": (Action.SIGNED_IN,),
    "finish_login": (Action.SIGNED_IN,),
    "begin_passkey_login": NOTHING,  # nobody knows who will answer
    "login_with_passkey": (Action.SIGNED_IN,),
    "refresh": NOTHING,  # the session goes on
    "logout": (Action.SIGNED_OUT,),
    "revoke_session": (Action.SESSION_REVOKED,),
    "revoke_sessions": (Action.SESSIONS_REVOKED,),
    "begin_passkey_step_up": NOTHING,
    "prove_again": (Action.STEPPED_UP,),
    # One's own account.
    "change_profile": (Action.ACCOUNT_CHANGED,),
    "set_avatar": (Action.ACCOUNT_CHANGED,),
    "delete_avatar": (Action.ACCOUNT_CHANGED,),
    "set_preferences": NOTHING,  # tastes, not rights
    "change_password": (Action.PASSWORD_CHANGED,),
    "forgot_password": NOTHING,  # the worker records it with the mail, so that the time tells nothing
    "reset_password": (Action.PASSWORD_RESET,),
    "change_email": (Action.EMAIL_CHANGE_ASKED,),
    "confirm_email": (Action.EMAIL_CHANGED,),
    "undo_email_change": (Action.EMAIL_CHANGE_UNDONE,),
    # Factors.
    "begin_totp": NOTHING,  # it counts when it is confirmed
    "confirm_totp": (Action.TOTP_ADDED,),
    "remove_totp": (Action.TOTP_REMOVED,),
    "renew_recovery_codes": (Action.RECOVERY_CODES_MADE,),
    "begin_passkey": NOTHING,
    "add_passkey": (Action.PASSKEY_ADDED,),
    "rename_passkey": (Action.PASSKEY_RENAMED,),
    "remove_passkey": (Action.PASSKEY_REMOVED,),
    # Keys.
    "create_api_key": (Action.API_KEY_CREATED,),
    "rotate_api_key": (Action.API_KEY_ROTATED,),
    "revoke_api_key": (Action.API_KEY_REVOKED,),
    # Teams.
    "create_organization": (Action.ORGANIZATION_CREATED,),
    "rename_organization": (Action.ORGANIZATION_RENAMED,),
    "delete_organization": (Action.ORGANIZATION_DELETED,),
    "invite_member": (Action.MEMBER_INVITED,),
    "withdraw_invitation": (Action.INVITATION_WITHDRAWN,),
    "preview_invitation": NOTHING,  # reads
    "accept_invitation": (Action.MEMBER_JOINED,),
    "accept_received_invitation": (Action.MEMBER_JOINED,),
    "decline_invitation": (Action.INVITATION_DECLINED,),
    "change_member_role": (Action.MEMBER_ROLE_CHANGED,),
    "transfer_organization": (Action.OWNERSHIP_TRANSFERRED,),
    "remove_member": (Action.MEMBER_REMOVED,),
    # Privacy.
    "ask_for_export": (Action.EXPORT_ASKED,),
    "link_to_data_export": (Action.EXPORT_DOWNLOADED,),
    "ask_for_deletion": (Action.DELETION_ASKED,),
    "keep_account": (Action.DELETION_CANCELLED,),
    "keep_account_by_mail": (Action.DELETION_CANCELLED,),
    # Administrators.
    "change_user": (Action.ACCOUNT_SUSPENDED,),
    "delete_user": (Action.DELETION_ASKED,),
    "sign_out_user": (Action.SESSIONS_REVOKED,),
    "reset_user_factors": (Action.FACTORS_RESET,),
    "begin_impersonation": (Action.IMPERSONATION_BEGAN,),
    "end_impersonation": (Action.IMPERSONATION_ENDED,),
    "export_audit_log": (Action.AUDIT_EXPORTED,),
}

AREAS = {"accounts", "organizations", "admin"}


@dataclass
class Recorder:
    """Stands before the application and notes what each success left in the log."""

    app: ASGIApp
    database: Database
    since: datetime = field(default_factory=lambda: datetime.now(UTC) - timedelta(seconds=1))
    seen: dict[str, set[tuple[str, ...]]] = field(default_factory=dict)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        status = 0

        async def note(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        before = await self._entries()
        await self.app(scope, receive, note)
        if 200 <= status < 300:
            after = await self._entries()
            left = tuple(sorted(after[entry] for entry in after.keys() - before.keys()))
            self.seen.setdefault(scope["route"].name, set()).add(left)

    async def _entries(self) -> dict[UUID, str]:
        async with self.database.transaction(purpose="identity") as db:
            rows = await db.execute(select(AuditEntry.id, AuditEntry.action).where(AuditEntry.at > self.since))
            return {row.id: row.action for row in rows}


@pytest.fixture
def recorder(service: Service) -> Recorder:
    service.app.include_router(admin.router)
    service.app.state.storage = make_storage(service.settings, links_from="")
    recorder = Recorder(service.app, service.database)
    service.app = recorder  # type: ignore[assignment]
    return recorder


def changing_operations() -> set[str]:
    """What is not a mere reading, and the one reading that is recorded."""
    return {
        operation["operationId"]
        for methods in api_description()["paths"].values()
        for method, operation in methods.items()
        if AREAS & set(operation.get("tags", ())) and method not in ("get", "head")
    } | {"export_audit_log"}


def test_every_operation_that_changes_something_is_in_the_table() -> None:
    assert changing_operations() == set(EXPECTED)


async def test_each_operation_leaves_exactly_what_the_table_says(service: Service, recorder: Recorder) -> None:
    await _sign_up_and_in(service)
    await _own_account(service)
    await _factors(service)
    await _keys(service)
    await _teams(service)
    await _privacy(service)
    await _administration(service)
    changed = {name: left for name, left in recorder.seen.items() if name in EXPECTED}
    assert changed == {name: {tuple(sorted(actions))} for name, actions in EXPECTED.items()}
    readings = {name: left for name, left in recorder.seen.items() if name not in EXPECTED}
    assert all(left == {()} for left in readings.values()), readings


async def _sign_up_and_in(service: Service) -> None:
    async with service.visitor() as person:
        await person.register()
        await _ok(person, "/api/auth/resend-verification", {"email": person.email})
        await person.confirm(await service.mailed_token(person))
        signed_in = (await person.login(mode="body")).json()
        renewed = (await person.refresh(signed_in["refresh_token"])).json()
        others = (await person.browser.get("/api/auth/sessions", headers=_bearer(renewed["token"]))).json()["sessions"]
        other = next(each["id"] for each in others if not each["current"])
        await person.browser.delete(f"/api/auth/sessions/{other}", headers=_bearer(renewed["token"]))
        await person.login(mode="body")
        await person.browser.delete("/api/auth/sessions?scope=others", headers=_bearer(renewed["token"]))
        await _ok(person, "/api/auth/logout", None, renewed["token"])


async def _own_account(service: Service) -> None:
    async with service.visitor() as person:
        member = await sign_in(service, person)
        await _sent(member, "PATCH", "/api/account", {"first_name": "Ann"})
        chosen = (await member.get("/api/account/preferences")).json()
        chosen.pop("models")
        await _sent(member, "PUT", "/api/account/preferences", {**chosen, "auto_analyze_enabled": False})
        headers = {**_bearer(member.token), "Content-Type": "image/png"}
        shown = await person.browser.put("/api/account/avatar", content=picture(), headers=headers)
        assert shown.status_code == 200, shown.text
        await _sent(member, "DELETE", "/api/account/avatar")
        await _ok(person, "/api/auth/forgot-password", {"email": member.email})
        token = await service.mailed_token(person)
        assert (await member.actions())[-1] == Action.PASSWORD_RESET_ASKED
        await _ok(person, "/api/auth/reset-password", {"token": token, "password": PASSWORD})
        member.token = (await person.login(mode="body")).json()["token"]
        changed = {"current_password": PASSWORD, "new_password": f"{PASSWORD} at all"}
        await _sent(member, "POST", "/api/account/password", changed)
        new_address = fresh_address()
        await _sent(member, "POST", "/api/account/email", {"email": new_address, "password": changed["new_password"]})
        await service.deliver_mails(new_address)
        await _ok(person, "/api/auth/confirm-email", {"token": link_token(service.mails_to(new_address)[-1])})
        await _ok(person, "/api/auth/undo-email-change", {"token": await service.mailed_token(person)})


async def _factors(service: Service) -> None:
    async with service.visitor() as person:
        member = await sign_in(service, person)
        await member.add_app()
        await member.sign_in_again()
        await _sent(member, "POST", f"{FACTORS}/recovery-codes")
        device = await member.add_passkey()
        passkey = (await member.factors())["passkeys"][0]["id"]
        await _sent(member, "PATCH", f"{FACTORS}/passkeys/{passkey}", {"name": "Desk"})
        begun = (await member.post("/api/auth/step-up/passkey-options")).json()
        proof = {"challenge": begun["challenge"], "credential": device.get(begun["options"])}
        await _sent(member, "POST", "/api/auth/step-up", proof)
        begun = (await person.post("/api/auth/login/passkey/options")).json()
        proof = {"challenge": begun["challenge"], "credential": device.get(begun["options"])}
        await _ok(person, "/api/auth/login/passkey", proof)
        await _sent(member, "DELETE", f"{FACTORS}/passkeys/{passkey}")
        await _sent(member, "DELETE", f"{FACTORS}/totp")


async def _keys(service: Service) -> None:
    async with service.visitor() as person:
        member = await sign_in(service, person)
        made = await _sent(member, "POST", "/api/user/api-keys", {"name": "a program", "scopes": ["account:read"]})
        path = f"/api/user/api-keys/{made['api_key']['id']}"
        await _sent(member, "POST", f"{path}/rotate", {"overlap_days": 1})
        await _sent(member, "DELETE", path)


async def _teams(service: Service) -> None:
    async with service.visitor() as one, service.visitor() as two, service.visitor() as three:
        owner, friend, other = [await sign_in(service, each) for each in (one, two, three)]
        team = f"/api/organizations/{(await _sent(owner, 'POST', '/api/organizations', {'name': 'crew'}))['id']}"
        await _sent(owner, "PATCH", team, {"name": "Crew"})

        async def invited(somebody: Member) -> str:
            body = {"email": somebody.email, "role": "member"}
            return str((await _sent(owner, "POST", f"{team}/invitations", body))["id"])

        await _sent(owner, "DELETE", f"{team}/invitations/{await invited(other)}")
        await _sent(other, "DELETE", f"/api/invitations/{await invited(other)}")
        await _sent(other, "POST", f"/api/invitations/{await invited(other)}/accept")
        await invited(friend)
        token = await service.mailed_token(two)
        await _ok(two, "/api/invitations/preview", {"token": token})
        await _sent(friend, "POST", "/api/invitations/accept", {"token": token})
        await _sent(owner, "PATCH", f"{team}/members/{friend.id}", {"role": "admin"})
        await _sent(owner, "DELETE", f"{team}/members/{other.id}")
        await _sent(owner, "POST", f"{team}/transfer", {"user_id": str(friend.id)})
        await _sent(friend, "DELETE", team, {"name": "Crew"})


async def _privacy(service: Service) -> None:
    async with service.visitor() as person:
        member = await sign_in(service, person)
        export = (await _sent(member, "POST", "/api/account/exports"))["id"]
        async with service.database.transaction(purpose="identity") as db:  # the worker's part, tested elsewhere
            made = await db.get_one(DataExport, UUID(export))
            made.status, made.progress, made.file_key, made.file_size = "completed", 100, f"exports/{export}.zip", 1
            made.completed_at, made.expires_at = service.clock(), service.clock() + timedelta(days=1)
        await _sent(member, "POST", f"/api/account/exports/{export}/link")
        await _sent(member, "POST", "/api/account/deletion", {"password": PASSWORD})
        await _sent(member, "DELETE", "/api/account/deletion")
        await _sent(member, "POST", "/api/account/deletion", {"password": PASSWORD})
        await _ok(person, "/api/auth/keep-account", {"token": await service.mailed_token(person)})


async def _administration(service: Service) -> None:
    async with service.visitor() as boss, service.visitor() as person:
        chief, somebody = await sign_in(service, boss, admin=True), await sign_in(service, person)
        await chief.add_app()
        await chief.sign_in_again()
        path = f"/api/admin/users/{somebody.id}"
        look = await _sent(chief, "POST", f"{path}/impersonation", {"reason": "a look"})
        ended = await boss.browser.delete("/api/admin/impersonation", headers=_bearer(look["token"]))
        assert ended.status_code == 204, ended.text
        await _sent(chief, "POST", f"{path}/sign-out")
        await _sent(chief, "POST", f"{path}/reset-factors")
        await _sent(chief, "DELETE", path)
        await _sent(chief, "PUT", path, {"is_active": False})
        assert (await chief.get(f"/api/admin/audit/export?tenant_id={somebody.id}")).status_code == 200


async def _ok(person: Person, path: str, body: dict[str, Any] | None, token: str | None = None) -> None:
    answer = await person.browser.post(path, json=body, headers=_bearer(token) if token else None)
    assert answer.is_success, f"{path}: {answer.text}"


async def _sent(member: Member, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    answer = await member.call(method, path, body)
    assert answer.is_success, f"{method} {path}: {answer.text}"
    return answer.json() if answer.content else None


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
