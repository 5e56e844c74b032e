"""What people see of what happened to their own accounts."""

from __future__ import annotations

from sample_agent.accounts.audit import OPERATOR, Action, Actor, record
from sample_agent.accounts.client import Client
from sample_agent.core.identifiers import new_id
from tests.accounts.deployment import Person, Service
from tests.accounts.members import Member, sign_in

ACTIVITY = "/api/account/activity"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


async def test_whoever_acted_is_named_as_far_as_the_person_may_know(service: Service, person: Person) -> None:
    member = await sign_in(service, person)
    made = await member.post("/api/user/api-keys", {"name": "backup", "scopes": ["account:read"]})
    key = made.json()["api_key"]
    client = Client(FIREFOX, "203.0.113.7")
    for actor in (
        Actor("api-key", key["id"], client),
        Actor("api-key", new_id(), client),
        Actor("admin", new_id(), client),
        OPERATOR,
        Actor("user", new_id(), client),
        Actor("user", member.id, client),
    ):
        async with service.database.transaction(purpose="identity") as db:
            await record(db, Action.ACCOUNT_CHANGED, tenant_id=member.id, actor=actor, detail={"fields": []})
    answer = await member.get(f"{ACTIVITY}?limit=6")
    assert answer.headers["cache-control"] == "no-store"
    seen = [(each["actor"], each["device"], each["ip_address"]) for each in answer.json()["entries"]]
    from_there = ("Firefox on Linux", "203.0.113.7")
    assert seen == [
        ("you", *from_there),
        ("somebody else", None, None),
        ("the installation", None, None),
        ("an administrator", None, None),
        ("an API key", *from_there),
        (f"API key backup (…{key['hint']})", *from_there),
    ]


async def test_everybody_sees_their_own_log_in_pages(service: Service, person: Person) -> None:
    member = await sign_in(service, person)
    for _ in range(3):
        await member.person.login(mode="body")
    async with service.visitor() as visitor:
        await sign_in(service, visitor)
        seen: list[str] = []
        cursor = ""
        while True:
            page = (await member.get(f"{ACTIVITY}?limit=2{cursor}")).json()
            seen += [each["action"] for each in page["entries"]]
            await _sign_in_meanwhile(member)
            if page["next_cursor"] is None:
                break
            cursor = f"&cursor={page['next_cursor']}"
    assert seen == ["session.began"] * 4 + ["account.created"]


async def test_it_takes_a_session_and_a_cursor_of_ours(service: Service, person: Person) -> None:
    member = await sign_in(service, person)
    made = await member.post("/api/user/api-keys", {"name": "backup", "scopes": ["account:read"]})
    with_key = await person.browser.get(ACTIVITY, headers={"Authorization": f"Bearer {made.json()['key']}"})
    assert with_key.json()["code"] == "session-required"
    assert (await person.browser.get(ACTIVITY)).status_code == 401
    assert (await member.get(f"{ACTIVITY}?cursor=nonsense")).status_code == 422


async def _sign_in_meanwhile(member: Member) -> None:
    assert (await member.person.login(mode="body")).status_code == 200
