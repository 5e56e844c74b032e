"""Organizations: who may do what, invitations, one owner at all times, what is told and what is kept."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import event, insert, text
from sqlalchemy.exc import IntegrityError

from sample_agent.accounts import Role, require_role
from sample_agent.accounts.errors import OrganizationNeedsOwner, RoleTooLow
from sample_agent.accounts.models import User
from sample_agent.accounts.organizations.departure import leave_all, owned_with_others, refuse_while_needed
from sample_agent.accounts.organizations.holding import MOST_ORGANIZATIONS
from sample_agent.accounts.organizations.invitation_limits import MOST_A_DAY
from sample_agent.accounts.organizations.invitations import MOST_MEMBERS, MOST_OPEN
from sample_agent.accounts.organizations.models import Invitation, Membership
from sample_agent.accounts.organizations.quoting import quoted
from sample_agent.accounts.tasks import forget_expired
from sample_agent.core.errors import NotFound
from sample_agent.core.identifiers import new_id
from tests.accounts.deployment import PUBLIC_URL, Service, fresh_address
from tests.accounts.team import ORGANIZATIONS, UNUSABLE, Maker, Team, at, mailed_invitation, maker

NewMaker = Callable[[], Awaitable[Maker]]


@pytest_asyncio.fixture
async def newcomer(service: Service) -> AsyncIterator[NewMaker]:
    """Makes people with accounts."""
    async with AsyncExitStack() as stack:
        yield lambda: stack.enter_async_context(maker(service))


@pytest_asyncio.fixture
async def team(service: Service, newcomer: NewMaker) -> Team:
    owner, admin, member, stranger = [await newcomer() for _ in range(4)]
    address = await owner.organizes()
    for somebody, role in ((admin, "admin"), (member, "member")):
        await somebody.accepts(await owner.invites(address, somebody.email, role))
    for somebody in (owner, admin, member):
        await service.take_queued_mails(somebody.email)
    return Team(service, address, owner, admin, member, stranger)


async def answers(*requests: Awaitable[httpx.Response]) -> list[int]:
    """The statuses of requests made at once, in order of size."""
    return sorted(each.status_code for each in await asyncio.gather(*requests))


async def test_from_an_invitation_through_registration_to_membership(service: Service, newcomer: NewMaker) -> None:
    owner, address = await newcomer(), fresh_address()
    organization = await owner.organizes("  Night shift ")
    invitation = await owner.invites(organization, address.upper().replace("EXAMPLE.COM", "example.com"), "admin")
    assert invitation["email"] == address
    assert invitation["invited_by"] == owner.email
    token = await mailed_invitation(service, address)

    async with service.visitor(address) as person:
        shown = await person.post("/api/invitations/preview", {"token": token})
        assert shown.json() == {"organization": "Night shift", "role": "admin"}
        signed_in = await service.member(person)
    async with at(service, signed_in["user"]["id"], address, signed_in["token"]) as invited:
        (found,) = (await invited.got("/api/invitations"))["invitations"]
        assert found["organization"] == "Night shift"
        assert found["invited_by"] == owner.email
        joined = await invited.send("POST", "/api/invitations/accept", {"token": token})
        assert joined.json() == {"id": organization.rsplit("/", 1)[1], "name": "Night shift", "role": "admin"}
        assert joined.headers["cache-control"] == "no-store"
        assert (await invited.got("/api/invitations"))["invitations"] == []
        (listed,) = (await invited.got(ORGANIZATIONS))["organizations"]
        assert (listed["name"], listed["role"], listed["members"]) == ("Night shift", "admin", 2)
        assert await invited.roles(organization) == {owner.email: "owner", address: "admin"}
        assert (await invited.got(f"{organization}/invitations"))["invitations"] == []


async def test_an_organization_can_be_renamed(team: Team) -> None:
    renamed = await team.admin.send("PATCH", team.address, {"name": "Day shift"})
    assert renamed.json()["name"] == "Day shift"
    assert renamed.json()["role"] == "admin"
    await team.admin.send("PATCH", team.address, {"name": "Day shift"})
    assert (await team.member.got(team.address))["name"] == "Day shift"
    assert (await team.actions()).count("renamed") == 1


@pytest.mark.parametrize("name", ["", "   ", "x" * 101, "two\nlines", "gnp.\u202eexe", "nul\0"])
async def test_a_name_that_cannot_be_read_is_refused(team: Team, name: str) -> None:
    for method, path in (("POST", ORGANIZATIONS), ("PATCH", team.address)):
        assert (await team.owner.send(method, path, {"name": name})).status_code == 422


# Who may do what

MATRIX: dict[str, tuple[str, str, dict[str, str] | None, str]] = {
    "see it": ("GET", "", None, "owner admin member"),
    "see the members": ("GET", "/members", None, "owner admin member"),
    "rename it": ("PATCH", "", {"name": "Day shift"}, "owner admin"),
    "see the invitations": ("GET", "/invitations", None, "owner admin"),
    "invite a member": ("POST", "/invitations", {"email": "new@example.com"}, "owner admin"),
    "invite an administrator": ("POST", "/invitations", {"email": "new@example.com", "role": "admin"}, "owner admin"),
    "withdraw an invitation": ("DELETE", "/invitations/{invitation}", None, "owner admin"),
    "see what happened": ("GET", "/activity", None, "owner admin"),
    "raise a member": ("PATCH", "/members/{other_member}", {"role": "admin"}, "owner admin"),
    "lower an administrator": ("PATCH", "/members/{other_admin}", {"role": "member"}, "owner"),
    "remove a member": ("DELETE", "/members/{other_member}", None, "owner admin"),
    "remove an administrator": ("DELETE", "/members/{other_admin}", None, "owner"),
    "lower the owner": ("PATCH", "/members/{owner}", {"role": "member"}, ""),
    "remove the owner": ("DELETE", "/members/{owner}", None, ""),
    "transfer it": ("POST", "/transfer", {"user_id": "{other_member}"}, "owner"),
    "delete it": ("DELETE", "", {"name": "Night shift"}, "owner"),
}


Request = tuple[str, str, dict[str, str] | None]


async def _request(team: Team, newcomer: NewMaker, deed: str) -> Request:
    """The request, in a team with another administrator and another member."""
    method, path, body, _ = MATRIX[deed]
    others = {"owner": team.owner}
    for name, role in (("other_member", "member"), ("other_admin", "admin")):
        others[name] = await newcomer()
        await others[name].accepts(await team.owner.invites(team.address, others[name].email, role))
    ids = {name: somebody.id for name, somebody in others.items()}
    ids["invitation"] = (await team.owner.invites(team.address, fresh_address()))["id"]
    filled = None if body is None else {name: value.format(**ids) for name, value in body.items()}
    return method, team.address + path.format(**ids), filled


@pytest.mark.parametrize("deed", MATRIX)
async def test_a_role_that_is_too_low_allows_nothing(team: Team, newcomer: NewMaker, deed: str) -> None:
    request, allowed = await _request(team, newcomer, deed), MATRIX[deed][3].split()
    before = await team.actions()
    for role in {"member", "admin"} - set(allowed):
        refused = await team.who(role).send(*request)
        assert (refused.status_code, refused.json()["code"]) == (403, "role-too-low"), refused.text
    assert (await team.stranger.send(*request)).status_code == 404
    method, address, body = request
    async with httpx.AsyncClient(transport=httpx.ASGITransport(team.service.app), base_url=PUBLIC_URL) as nobody:
        assert (await nobody.request(method, address, json=body)).status_code == 401
    if not allowed:
        assert (await team.owner.send(*request)).json()["code"] == "organization-needs-owner"
    assert await team.actions() == before


@pytest.mark.parametrize(("deed", "role"), [(deed, role) for deed in MATRIX for role in MATRIX[deed][3].split()])
async def test_a_role_that_is_high_enough_allows_it(team: Team, newcomer: NewMaker, deed: str, role: str) -> None:
    done = await team.who(role).send(*await _request(team, newcomer, deed))
    assert done.status_code in (200, 201, 204), done.text


async def test_an_organization_of_others_is_answered_like_none(team: Team) -> None:
    invitation = await team.owner.invites(team.address, fresh_address())
    nowhere = f"{ORGANIZATIONS}/{uuid4()}"
    for method, path, body, _ in MATRIX.values():
        ids = {"owner": team.owner.id, "other_member": team.member.id, "other_admin": team.admin.id}
        there = path.format(**ids, invitation=invitation["id"])
        sent = None if body is None else {name: value.format(**ids) for name, value in body.items()}
        foreign = await team.stranger.send(method, team.address + there, sent)
        missing = await team.stranger.send(method, nowhere + there, sent)
        assert foreign.status_code == missing.status_code == 404
        assert _without_ids(foreign) == _without_ids(missing)


async def test_an_invitation_to_others_is_answered_like_none(team: Team) -> None:
    invitation = await team.owner.invites(team.address, fresh_address())
    for method, path in (("POST", "/api/invitations/{}/accept"), ("DELETE", "/api/invitations/{}")):
        foreign = await team.stranger.send(method, path.format(invitation["id"]))
        missing = await team.stranger.send(method, path.format(uuid4()))
        assert foreign.status_code == missing.status_code == 404
        assert _without_ids(foreign) == _without_ids(missing)


async def test_what_belongs_to_another_organization_is_not_found_in_this_one(team: Team) -> None:
    elsewhere = await team.stranger.organizes("Elsewhere")
    invitation = await team.stranger.invites(elsewhere, fresh_address())
    for method, path, body in (
        ("DELETE", f"/invitations/{invitation['id']}", None),
        ("DELETE", f"/members/{team.stranger.id}", None),
        ("PATCH", f"/members/{team.stranger.id}", {"role": "admin"}),
        ("POST", "/transfer", {"user_id": team.stranger.id}),
    ):
        assert (await team.owner.send(method, team.address + path, body)).status_code == 404
    assert len((await team.stranger.got(f"{elsewhere}/invitations"))["invitations"]) == 1


def _without_ids(answer: httpx.Response) -> str:
    return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "id", re.sub(r'"request_id":"[^"]*"', "", answer.text))


@pytest.mark.parametrize("role", ["owner", "Owner", "root", "", None])
async def test_nobody_is_made_owner_but_by_a_transfer(team: Team, role: str | None) -> None:
    raised = await team.owner.send("PATCH", team.seat(team.member), {"role": role})
    invited = await team.owner.send("POST", f"{team.address}/invitations", {"email": fresh_address(), "role": role})
    assert (raised.status_code, invited.status_code) == (422, 422)


async def test_an_administrator_can_step_down_and_not_up_again(team: Team) -> None:
    stepped = await team.admin.send("PATCH", team.seat(team.admin), {"role": "member"})
    assert stepped.json()["role"] == "member"
    again = await team.admin.send("PATCH", team.seat(team.admin), {"role": "admin"})
    assert again.json()["code"] == "role-too-low"
    assert again.json()["needed"] == "admin"


async def test_a_member_leaves_and_the_owner_cannot(team: Team) -> None:
    assert (await team.member.send("DELETE", team.seat(team.member))).status_code == 204
    assert (await team.member.got(ORGANIZATIONS))["organizations"] == []
    refused = await team.owner.send("DELETE", team.seat(team.owner))
    assert refused.status_code == 409
    assert refused.json()["code"] == "organization-needs-owner"
    assert refused.json()["organizations"] == [{"id": str(team.id), "name": "Night shift"}]
    assert (await team.actions())[-1] == "member-left"
    assert await team.mails_to(team.member) == []


async def test_whoever_is_removed_is_a_stranger_at_their_next_request(
    team: Team, another_process: Callable[[], Service]
) -> None:
    async with at(another_process(), team.member.id, team.member.email, team.member.token) as elsewhere:
        assert (await elsewhere.send("GET", team.address)).status_code == 200
        assert (await team.admin.send("DELETE", team.seat(team.member))).status_code == 204
        assert (await elsewhere.send("GET", team.address)).status_code == 404
    ((subject, mail),) = await team.mails_to(team.member)
    assert subject == "You no longer belong to a team"
    assert "You were removed from “Night shift” on " in mail


async def test_a_change_of_role_is_told_once_and_only_when_there_is_one(team: Team) -> None:
    for _ in range(2):
        assert (await team.owner.send("PATCH", team.seat(team.member), {"role": "admin"})).status_code == 200
    ((subject, mail),) = await team.mails_to(team.member)
    assert subject == "Your role in a team has changed"
    assert "you are an administrator of “Night shift”" in mail
    assert (await team.actions()).count("role-changed") == 1


async def test_an_api_key_reads_within_its_scope_and_invites_nobody(team: Team) -> None:
    made = await team.owner.send(
        "POST", "/api/user/api-keys", {"name": "a script", "scopes": ["organizations:read", "organizations:write"]}
    )
    key = {"Authorization": f"Bearer {made.json()['key']}"}
    for path in ("", "/members", "/invitations", "/activity"):
        assert (await team.owner.send("GET", team.address + path, headers=key)).status_code == 200
    assert (await team.owner.send("GET", "/api/invitations", headers=key)).status_code == 200
    assert (await team.owner.send("PATCH", team.address, {"name": "By key"}, headers=key)).status_code == 200
    refused = await team.owner.send("POST", f"{team.address}/invitations", {"email": fresh_address()}, headers=key)
    assert refused.json()["code"] == "session-required"
    (entry, *_) = (await team.owner.got(f"{team.address}/activity"))["entries"]
    assert (entry["actor"]["kind"], entry["actor"]["email"]) == ("api-key", team.owner.email)
    await team.service.identity.key_uses.settled()


# Invitations


async def test_the_mail_says_what_it_is_about_and_nothing_a_stranger_can_abuse(
    service: Service, newcomer: NewMaker
) -> None:
    owner, address = await newcomer(), fresh_address()
    organization = await owner.organizes("<b>Win</b> http://evil.example/x a@evil.example +1 800 555 0199")
    await owner.invites(organization, address)
    await service.deliver_mails(address)
    (mail,) = service.mails_to(address)
    assert mail.subject == "You are invited to join a team"
    assert "“b Win b http evil example x a evil exam…”" in mail.text
    assert "as a member" in mail.text
    assert "for 7 days" in mail.text
    for part in (mail.text, mail.html):
        links = set(re.findall(r"https?://[^\s\"<]+", part))
        assert links == {next(iter(links))}
        assert next(iter(links)).startswith(f"{PUBLIC_URL}/invitation?token=")
        assert "evil.example" not in part
        assert "<b>Win" not in part
        assert owner.email not in part


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Night shift", "“Night shift”"),
        ("Rock 'n' Roll & Söhne!", "“Rock 'n' Roll & Söhne!”"),
        ("夜勤 1998", "“夜勤 1998”"),
        ("evil。example", "“evil example”"),
        ("evil．example", "“evil example”"),
        ("call 0800-555 0199 now", "“call now”"),
        ("www.evil.example", "“www evil example”"),
        ("two\nlines\u202e", "“two lines”"),
        ("./:@", "an organization"),
        ("&!", "an organization"),
        ("x" * 100, f"“{'x' * 39}…”"),
    ],
)
def test_a_name_in_a_mail_makes_no_link(name: str, words: str) -> None:
    assert quoted(name) == words


async def test_inviting_is_the_same_whether_or_not_there_is_an_account(service: Service, newcomer: NewMaker) -> None:
    owner, known = await newcomer(), await newcomer()
    organization = await owner.organizes()
    seen = []
    for email in (known.email, fresh_address()):
        with _statements(service) as executed:
            answer = await owner.send("POST", f"{organization}/invitations", {"email": email})
        shown = sorted(answer.json().items() - {("email", email)})
        await service.deliver_mails(email)
        (mail,) = service.mails_to(email)
        words = re.sub(r"token=\S+", "", mail.text)
        seen.append(
            (answer.status_code, sorted(answer.headers), [name for name, _ in shown], mail.subject, words, executed)
        )
    assert seen[0] == seen[1]
    assert len(seen[0][-1]) > 10


@contextmanager
def _statements(service: Service) -> Iterator[list[str]]:
    """What is executed meanwhile, without the parameters, but for asking once a second whether the session lives."""
    executed: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if "FROM sessions" not in statement and "set_config" not in statement:
            executed.append(statement)

    event.listen(service.database.engine.sync_engine, "before_cursor_execute", note)
    try:
        yield executed
    finally:
        event.remove(service.database.engine.sync_engine, "before_cursor_execute", note)


async def test_an_invitation_works_once(team: Team) -> None:
    await team.owner.invites(team.address, team.stranger.email)
    token = await mailed_invitation(team.service, team.stranger.email)
    accept = ("POST", "/api/invitations/accept", {"token": token})
    assert (await team.stranger.send(*accept)).status_code == 200
    again = await team.stranger.send(*accept)
    assert (again.status_code, again.json()["code"]) == (410, "token-expired-or-used")
    assert (await team.stranger.send("DELETE", team.seat(team.stranger))).status_code == 204
    assert (await team.stranger.send(*accept)).status_code == 410


async def test_an_invitation_is_for_the_address_it_was_sent_to(team: Team, newcomer: NewMaker) -> None:
    invited = await newcomer()
    await team.owner.invites(team.address, invited.email)
    token = await mailed_invitation(team.service, invited.email)
    refused = await team.stranger.send("POST", "/api/invitations/accept", {"token": token})
    assert (refused.status_code, refused.json()["code"]) == (403, "invitation-for-another-address")
    assert invited.email not in refused.text
    assert (await team.stranger.send("GET", team.address)).status_code == 404
    assert (await invited.send("POST", "/api/invitations/accept", {"token": token})).status_code == 200


async def _expire(team: Team, invitation: str) -> None:
    team.service.clock.ahead = timedelta(days=7, seconds=1)


async def _withdraw(team: Team, invitation: str) -> None:
    assert (await team.admin.send("DELETE", f"{team.address}/invitations/{invitation}")).status_code == 204


async def _decline(team: Team, invitation: str) -> None:
    assert (await team.stranger.send("DELETE", f"/api/invitations/{invitation}")).status_code == 204


async def _replace(team: Team, invitation: str) -> None:
    await team.owner.invites(team.address, team.stranger.email)
    await team.service.take_queued_mails(team.stranger.email)


async def _demote_inviter(team: Team, invitation: str) -> None:
    await team.owner.send("PATCH", team.seat(team.admin), {"role": "member"})


async def _remove_inviter(team: Team, invitation: str) -> None:
    await team.owner.send("DELETE", team.seat(team.admin))


async def _inviter_leaves(team: Team, invitation: str) -> None:
    await team.admin.send("DELETE", team.seat(team.admin))


async def _delete_organization(team: Team, invitation: str) -> None:
    await team.owner.send("DELETE", team.address, {"name": "Night shift"})


@pytest.mark.parametrize(
    "end",
    [
        _expire,
        _withdraw,
        _decline,
        _replace,
        _demote_inviter,
        _remove_inviter,
        _inviter_leaves,
        _delete_organization,
    ],
)
async def test_an_invitation_that_has_ended_opens_nothing(
    team: Team, end: Callable[[Team, str], Awaitable[None]]
) -> None:
    invitation = await team.admin.invites(team.address, team.stranger.email)
    token = await mailed_invitation(team.service, team.stranger.email)
    await end(team, invitation["id"])
    if end is not _expire:  # an access token does not live as long
        for path in ("/api/invitations/preview", "/api/invitations/accept"):
            assert (await team.stranger.send("POST", path, {"token": token})).status_code == 410
        assert (await team.stranger.send("POST", f"/api/invitations/{invitation['id']}/accept")).status_code == 404
        received = (await team.stranger.got("/api/invitations"))["invitations"]
        assert invitation["id"] not in [each["id"] for each in received]
    else:
        assert (await team.stranger.send("POST", "/api/invitations/preview", {"token": token})).status_code == 410


async def test_the_mail_of_an_invitation_that_was_withdrawn_is_not_sent(team: Team) -> None:
    invitation = await team.owner.invites(team.address, team.stranger.email)
    await _withdraw(team, invitation["id"])
    assert await team.mails_to(team.stranger) == []


async def test_a_member_is_not_invited_again(team: Team) -> None:
    refused = await team.admin.send("POST", f"{team.address}/invitations", {"email": team.owner.email})
    assert (refused.status_code, refused.json()["code"]) == (409, "already-a-member")


async def test_whoever_invited_is_told_that_they_came(team: Team) -> None:
    await team.stranger.accepts(await team.admin.invites(team.address, team.stranger.email))
    ((subject, mail),) = await team.mails_to(team.admin)
    assert subject == "Your invitation was accepted"
    assert f"{team.stranger.email} has accepted your invitation and now belongs to “Night shift”." in mail
    assert await team.mails_to(team.owner) == []


async def test_an_address_that_was_never_confirmed_accepts_nothing(team: Team) -> None:
    await team.owner.invites(team.address, team.stranger.email)
    token = await mailed_invitation(team.service, team.stranger.email)
    async with team.service.database.transaction(purpose="identity") as db:
        await db.execute(
            text("update users set email_verified_at = null where id = :id"), {"id": UUID(team.stranger.id)}
        )
    assert (await team.stranger.got("/api/invitations"))["invitations"] == []
    refused = await team.stranger.send("POST", "/api/invitations/accept", {"token": token})
    assert refused.json()["code"] == "invitation-for-another-address"


async def test_no_invitation_is_kept_for_long_after_its_end(team: Team) -> None:
    await team.owner.invites(team.address, fresh_address())
    await forget_expired(team.service.database, lambda: team.service.clock() + timedelta(days=13))
    assert len((await team.owner.got(f"{team.address}/invitations"))["invitations"]) == 1
    await forget_expired(team.service.database, lambda: team.service.clock() + timedelta(days=15))
    assert (await team.owner.got(f"{team.address}/invitations"))["invitations"] == []


# Transfer and deletion


async def test_a_transfer_makes_two_people_change_places(team: Team) -> None:
    done = await team.owner.send("POST", f"{team.address}/transfer", {"user_id": team.member.id})
    assert done.json()["role"] == "admin"
    assert await team.admin.roles(team.address) == {
        team.owner.email: "admin",
        team.admin.email: "admin",
        team.member.email: "owner",
    }
    ((_, told),) = await team.mails_to(team.member)
    assert "you are the owner of “Night shift”" in told
    ((_, confirmed),) = await team.mails_to(team.owner)
    assert "“Night shift” was transferred to another member on" in confirmed
    assert "192.0.2.7" in confirmed
    assert (await team.actions())[-1] == "transferred"


async def test_an_organization_is_not_transferred_to_oneself_or_to_an_account_that_is_off(team: Team) -> None:
    transfer = f"{team.address}/transfer"
    assert (await team.owner.send("POST", transfer, {"user_id": team.owner.id})).status_code == 409
    async with team.service.database.transaction(purpose="identity") as db:
        await db.execute(text("update users set is_active = false where id = :id"), {"id": UUID(team.member.id)})
    assert (await team.owner.send("POST", transfer, {"user_id": team.member.id})).status_code == 409
    assert (await team.owner.roles(team.address))[team.owner.email] == "owner"


async def test_deleting_needs_the_name_as_it_is_written(team: Team) -> None:
    for typed in ("night shift", "Night shift ", ""):
        refused = await team.owner.send("DELETE", team.address, {"name": typed})
        assert (refused.status_code, refused.json()["code"]) == (422, "confirmation-mismatch")
    assert (await team.owner.send("DELETE", team.address)).status_code == 422
    assert (await team.owner.send("DELETE", team.address, {"name": "Night shift"})).status_code == 204
    for somebody in (team.owner, team.admin, team.member):
        assert (await somebody.got(ORGANIZATIONS))["organizations"] == []
        assert (await somebody.send("GET", team.address)).status_code == 404
    for somebody in (team.admin, team.member):
        ((subject, mail),) = await team.mails_to(somebody)
        assert subject == "A team you belonged to was deleted"
        assert "“Night shift” was deleted by its owner" in mail
    assert await team.mails_to(team.owner) == []


async def test_transfer_and_deletion_need_a_fresh_proof(team: Team) -> None:
    team.service.clock.ahead = timedelta(minutes=team.service.settings.step_up_minutes, seconds=5)
    for method, path, body in (
        ("POST", "/transfer", {"user_id": team.member.id}),
        ("DELETE", "", {"name": "Night shift"}),
    ):
        refused = await team.owner.send(method, team.address + path, body)
        assert (refused.status_code, refused.json()["code"]) == (403, "step-up-required")


# Races


async def test_many_accepts_at_once_make_one_membership(team: Team) -> None:
    invitation = await team.owner.invites(team.address, team.stranger.email)
    token = await mailed_invitation(team.service, team.stranger.email)
    by_link = [team.stranger.send("POST", "/api/invitations/accept", {"token": token}) for _ in range(4)]
    by_id = [team.stranger.send("POST", f"/api/invitations/{invitation['id']}/accept") for _ in range(4)]
    statuses = await answers(*by_link, *by_id)
    assert statuses.count(200) == 1
    assert set(statuses) <= {200, 404, 410}
    assert (await team.actions()).count("member-joined") == 3
    assert list(await team.owner.roles(team.address)).count(team.stranger.email) == 1


async def test_accepting_and_withdrawing_at_once_is_one_or_the_other(team: Team) -> None:
    for _ in range(5):
        invitation = await team.owner.invites(team.address, team.stranger.email)
        accepted, withdrawn = await asyncio.gather(
            team.stranger.send("POST", f"/api/invitations/{invitation['id']}/accept"),
            team.owner.send("DELETE", f"{team.address}/invitations/{invitation['id']}"),
        )
        assert (accepted.status_code, withdrawn.status_code) in {(200, 404), (404, 204)}
        joined = team.stranger.email in await team.owner.roles(team.address)
        assert joined is (accepted.status_code == 200)
        if joined:
            await team.owner.send("DELETE", team.seat(team.stranger))


async def test_an_invitation_dies_with_the_role_of_whoever_made_it_however_fast_it_is_accepted(team: Team) -> None:
    invitation = await team.admin.invites(team.address, team.stranger.email, "admin")
    accepted, lowered = await asyncio.gather(
        team.stranger.send("POST", f"/api/invitations/{invitation['id']}/accept"),
        team.owner.send("PATCH", team.seat(team.admin), {"role": "member"}),
    )
    assert lowered.status_code == 200
    actions = await team.actions()
    if accepted.status_code == 200:
        assert actions.index("role-changed") > len(actions) - 1 - actions[::-1].index("member-joined")
    else:
        assert accepted.status_code == 404


async def test_there_is_one_owner_whatever_happens_at_once(team: Team) -> None:
    transfer = f"{team.address}/transfer"
    owner, admin, member = team.owner, team.admin, team.member
    for _ in range(4):
        await asyncio.gather(
            owner.send("POST", transfer, {"user_id": admin.id}),
            owner.send("POST", transfer, {"user_id": member.id}),
            owner.send("DELETE", team.seat(member)),
            owner.send("PATCH", team.seat(admin), {"role": "member"}),
            admin.send("DELETE", team.seat(admin)),
            admin.send("DELETE", team.seat(member)),
            member.send("DELETE", team.seat(member)),
        )
        async with team.service.database.transaction(purpose="identity") as db:
            rows = await db.execute(
                text("select user_id, role from memberships where organization_id = :id"), {"id": team.id}
            )
            roles = {str(row.user_id): row.role for row in rows}
        assert list(roles.values()).count("owner") == 1
        people = {each.id: each for each in (owner, admin, member)}
        owner = people.pop(next(user_id for user_id, role in roles.items() if role == "owner"))
        admin, member = people.values()
        for somebody, role in ((admin, "admin"), (member, "member")):
            if somebody.id not in roles:
                await somebody.accepts(await owner.invites(team.address, somebody.email, role))


async def test_the_database_itself_knows_one_owner(team: Team) -> None:
    with pytest.raises(IntegrityError, match="uq_memberships_owner"):
        async with team.service.database.transaction(purpose="identity") as db:
            await db.execute(text("update memberships set role = 'owner' where organization_id = :id"), {"id": team.id})


# Limits


async def test_nobody_belongs_to_more_organizations_than_the_limit(team: Team) -> None:
    somebody = team.stranger
    statuses = await answers(
        *(somebody.send("POST", ORGANIZATIONS, {"name": f"No. {n}"}) for n in range(MOST_ORGANIZATIONS + 2))
    )
    assert statuses == [201] * MOST_ORGANIZATIONS + [409] * 2
    invitation = await team.owner.invites(team.address, somebody.email)
    refused = await somebody.send("POST", f"/api/invitations/{invitation['id']}/accept")
    assert refused.json()["code"] == "organization-limit-reached"
    assert refused.json()["limit"] == MOST_ORGANIZATIONS
    assert len((await somebody.got("/api/invitations"))["invitations"]) == 1


async def test_an_organization_has_no_more_members_than_the_limit(team: Team, newcomer: NewMaker) -> None:
    last, late = team.stranger, await newcomer()
    invitations = [await team.owner.invites(team.address, each.email) for each in (last, late)]
    await _fill(team, MOST_MEMBERS - 4)
    statuses = await answers(
        *(
            somebody.send("POST", f"/api/invitations/{invitation['id']}/accept")
            for somebody, invitation in zip((last, late), invitations, strict=True)
        )
    )
    assert statuses == [200, 409]
    assert (await team.owner.got(team.address))["members"] == MOST_MEMBERS
    refused = await team.owner.send("POST", f"{team.address}/invitations", {"email": fresh_address()})
    assert refused.json()["code"] == "member-limit-reached"


async def _fill(team: Team, how_many: int) -> None:
    ids = [new_id() for _ in range(how_many)]
    now = team.service.clock()
    async with team.service.database.transaction(purpose="identity") as db:
        people = [
            {"id": each, "email": f"{each}@example.com", "password_hash": UNUSABLE, "first_name": "", "last_name": ""}
            for each in ids
        ]
        await db.execute(insert(User), [{**each, "is_active": True, "is_superuser": False} for each in people])
        members = [{"organization_id": team.id, "user_id": each, "role": "member", "joined_at": now} for each in ids]
        await db.execute(insert(Membership), members)


async def test_no_more_invitations_wait_than_the_limit_and_a_newer_one_to_the_same_address_does(team: Team) -> None:
    now = team.service.clock()
    waiting = [
        {
            "id": new_id(),
            "organization_id": team.id,
            "user_id": UUID(team.owner.id),
            "email": fresh_address(),
            "role": "member",
            "token_hash": uuid4().bytes,
            "created_at": now,
            "expires_at": now + timedelta(days=1),
        }
        for _ in range(MOST_OPEN)
    ]
    async with team.service.database.transaction(purpose="identity") as db:
        await db.execute(insert(Invitation), waiting)
    refused = await team.owner.send("POST", f"{team.address}/invitations", {"email": fresh_address()})
    assert (refused.status_code, refused.json()["code"]) == (409, "invitation-limit-reached")
    await team.owner.invites(team.address, str(waiting[0]["email"]))


async def test_nobody_floods_a_mailbox_with_invitations(team: Team) -> None:
    careful = replace(team.service, settings=team.service.settings.model_copy(update={"mails_per_hour": 3}))
    elsewhere, victim = await team.stranger.organizes(), fresh_address()
    async with AsyncExitStack() as stack:
        owner, stranger = [
            await stack.enter_async_context(at(careful, each.id, each.email, each.token))
            for each in (team.owner, team.stranger)
        ]
        for _ in range(3):
            await owner.invites(team.address, victim)
        for somebody, address in ((owner, team.address), (stranger, elsewhere)):
            refused = await somebody.send("POST", f"{address}/invitations", {"email": victim})
            assert (refused.status_code, refused.json()["code"]) == (429, "rate-limited")
            assert 0 < int(refused.headers["Retry-After"]) <= 3600
        assert (await owner.got(f"{team.address}/invitations"))["invitations"][0]["email"] == victim
        await owner.invites(team.address, fresh_address())


async def test_nobody_invites_lists_of_addresses(team: Team) -> None:
    """Deleting the organization in between does not help."""
    sent = 0
    while sent < MOST_A_DAY:
        address = await team.stranger.organizes("One of many")
        for _ in range(min(20, MOST_A_DAY - sent)):
            await team.stranger.invites(address, fresh_address())
            sent += 1
        await team.stranger.send("DELETE", address, {"name": "One of many"})
    address = await team.stranger.organizes("Another one")
    refused = await team.stranger.send("POST", f"{address}/invitations", {"email": fresh_address()})
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 24 * 3600


# What is kept


async def test_everything_that_happens_is_in_the_organizations_own_log(team: Team) -> None:
    invitation = await team.owner.invites(team.address, team.stranger.email)
    await team.stranger.send("DELETE", f"/api/invitations/{invitation['id']}")
    withdrawn = await team.admin.invites(team.address, fresh_address())
    await _withdraw(team, withdrawn["id"])
    await team.owner.send("PATCH", team.address, {"name": "Day shift"})
    await team.owner.send("PATCH", team.seat(team.member), {"role": "admin"})
    await team.owner.send("DELETE", team.seat(team.member))
    await team.admin.send("DELETE", team.seat(team.admin))
    assert await team.actions() == [
        "created",
        *("member-invited", "member-joined") * 2,
        "member-invited",
        "invitation-declined",
        "member-invited",
        "invitation-withdrawn",
        "renamed",
        "role-changed",
        "member-removed",
        "member-left",
    ]
    entries = (await team.owner.got(f"{team.address}/activity"))["entries"]
    assert entries[0]["actor"] == {"kind": "user", "id": team.admin.id, "email": None}
    assert entries[0]["subject"]["email"] == team.admin.email
    assert entries[1]["actor"] == {"kind": "user", "id": team.owner.id, "email": team.owner.email}
    assert entries[1]["subject"] == {"kind": "user", "id": team.member.id, "email": team.member.email}
    assert entries[2]["detail"] == {"before": "member", "after": "admin", "invitations_withdrawn": 0}
    assert entries[4]["subject"]["email"] == withdrawn["email"]
    assert "192.0.2.7" not in str(entries)


async def test_nobody_learns_the_new_address_of_somebody_who_left(team: Team) -> None:
    before, after = team.member.email, fresh_address()
    await team.member.send("DELETE", team.seat(team.member))
    async with team.service.database.transaction(purpose="identity") as db:
        await db.execute(
            text("update users set email = :email where id = :id"), {"email": after, "id": UUID(team.member.id)}
        )
    entries = (await team.owner.got(f"{team.address}/activity"))["entries"]
    assert entries[0]["actor"] == {"kind": "user", "id": team.member.id, "email": None}
    assert entries[0]["subject"]["email"] == before
    assert after not in str(entries)


async def test_the_log_comes_in_pages(team: Team) -> None:
    everything = (await team.owner.got(f"{team.address}/activity"))["entries"]
    paged, cursor = [], None
    while True:
        page = await team.admin.got(f"{team.address}/activity", limit=2, **({"cursor": cursor} if cursor else {}))
        paged += page["entries"]
        if (cursor := page["next_cursor"]) is None:
            break
    assert paged == everything
    for wrong in ("x", "-1", "9" * 19):
        assert (await team.owner.send("GET", f"{team.address}/activity?cursor={wrong}")).status_code == 422


# For other features


def test_roles_have_an_order() -> None:
    assert sorted([Role.OWNER, Role.MEMBER, Role.ADMIN]) == [Role.MEMBER, Role.ADMIN, Role.OWNER]
    assert Role.OWNER >= Role.ADMIN > Role.MEMBER


async def test_a_role_can_be_asked_for_in_a_transaction_of_the_persons_own(team: Team) -> None:
    database = team.service.database
    async with database.transaction(UUID(team.member.id)) as db:
        assert await require_role(db, team.id, UUID(team.member.id)) is Role.MEMBER
        with pytest.raises(RoleTooLow):
            await require_role(db, team.id, UUID(team.member.id), Role.ADMIN)
        with pytest.raises(NotFound):  # row-level security shows nobody else's part
            await require_role(db, team.id, UUID(team.owner.id))
    async with database.transaction(UUID(team.stranger.id)) as db:
        with pytest.raises(NotFound):
            await require_role(db, team.id, UUID(team.stranger.id))


async def test_an_owner_with_others_settles_that_before_they_go(team: Team) -> None:
    await team.owner.organizes("Alone")
    database = team.service.database
    async with database.transaction(purpose="identity") as db:
        (owned,) = await owned_with_others(db, UUID(team.owner.id))
        assert (owned.id, owned.name, owned.members) == (team.id, "Night shift", 3)
        assert await owned_with_others(db, UUID(team.admin.id)) == []
        with pytest.raises(OrganizationNeedsOwner) as refused:
            await refuse_while_needed(db, UUID(team.owner.id))
    assert refused.value.extra["organizations"] == [{"id": str(team.id), "name": "Night shift"}]
    await team.owner.send("POST", f"{team.address}/transfer", {"user_id": team.admin.id})
    async with database.transaction(purpose="identity") as db:
        await refuse_while_needed(db, UUID(team.owner.id))


async def test_whoever_is_erased_leaves_nothing_behind(team: Team) -> None:
    alone = await team.owner.organizes("Alone")
    elsewhere = await team.stranger.organizes("Elsewhere")
    await team.stranger.invites(elsewhere, team.owner.email)
    await team.owner.invites(team.address, fresh_address())
    owner_id = UUID(team.owner.id)
    async with team.service.database.transaction(purpose="identity") as db:
        await leave_all(db, owner_id)
        await db.execute(text("delete from users where id = :id"), {"id": owner_id})

    assert await team.admin.roles(team.address) == {team.admin.email: "owner", team.member.email: "member"}
    ((_, told),) = await team.mails_to(team.admin)
    assert "you are the owner of “Night shift”" in told
    assert (await team.admin.got(f"{team.address}/invitations"))["invitations"] == []
    assert (await team.stranger.got(f"{elsewhere}/invitations"))["invitations"] == []
    entries = (await team.admin.got(f"{team.address}/activity"))["entries"]
    assert {entry["action"] for entry in entries[:2]} == {"organization.transferred", "organization.member-left"}
    assert team.owner.email not in str(entries)
    async with team.service.database.transaction(purpose="identity") as db:
        left = await db.scalar(
            text("select count(*) from organizations where id = :id"), {"id": UUID(alone.rsplit("/", 1)[1])}
        )
    assert left == 0


async def test_whoever_joins_while_they_are_erased_does_not_come_back(team: Team) -> None:
    invitation = await team.owner.invites(team.address, team.stranger.email)
    stranger_id = UUID(team.stranger.id)

    async def erase() -> None:
        async with team.service.database.transaction(purpose="identity") as db:
            await leave_all(db, stranger_id)
            await db.execute(text("delete from users where id = :id"), {"id": stranger_id})

    accepted, _ = await asyncio.gather(
        team.stranger.send("POST", f"/api/invitations/{invitation['id']}/accept"), erase()
    )
    assert accepted.status_code in (200, 401, 404)
    assert team.stranger.email not in await team.owner.roles(team.address)
