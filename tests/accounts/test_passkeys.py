"""Passkeys: added, used alone or after the password, and refused to whoever cheats."""

from __future__ import annotations

import asyncio
import copy
import hashlib
from datetime import timedelta
from typing import Any

import cbor2
import httpx
import pytest
import pytest_asyncio

from sample_agent.accounts.factors.service import MOST_PASSKEYS
from tests.accounts.authenticator import BACKED_UP, BACKUP_ELIGIBLE, PRESENT, VERIFIED, Device, b64, unb64
from tests.accounts.deployment import PUBLIC_URL, Person, Service
from tests.accounts.members import FACTORS, Member, sign_in

LOGIN = "/api/auth/login/passkey"


@pytest_asyncio.fixture
async def member(service: Service, person: Person) -> Member:
    return await sign_in(service, person)


async def begin(person: Person) -> dict[str, Any]:
    answer = await person.post(f"{LOGIN}/options")
    assert answer.status_code == 200, answer.text
    begun: dict[str, Any] = answer.json()
    return begun


async def finish(person: Person, begun: dict[str, Any], credential: dict[str, Any]) -> httpx.Response:
    body = {"challenge": begun["challenge"], "credential": credential, "mode": "body"}
    return await person.post(LOGIN, body)


async def login_with(person: Person, device: Device, **cheats: Any) -> httpx.Response:
    begun = await begin(person)
    return await finish(person, begun, device.get(begun["options"], **cheats))


# Adding


async def test_the_browser_is_told_to_check_who_makes_the_passkey(member: Member) -> None:
    answer = await member.post(f"{FACTORS}/passkeys/options")
    options = answer.json()["options"]
    assert answer.headers["cache-control"] == "no-store"
    assert options["rp"] == {"id": "samples.example", "name": "SP-404MK2 Sample Agent"}
    assert options["authenticatorSelection"]["userVerification"] == "required"
    assert options["attestation"] == "none"
    assert unb64(options["user"]["id"]) == member.id.bytes
    assert options["user"]["name"] == member.email
    assert len(unb64(options["challenge"])) == 32


async def test_a_passkey_is_added_named_renamed_and_removed(member: Member) -> None:
    await member.add_passkey(name="  Phone ")
    (passkey,) = (await member.factors())["passkeys"]
    assert (passkey["name"], passkey["last_used_at"], passkey["backed_up"]) == ("Phone", None, False)
    assert len(member.recovery_codes) == 10
    path = f"{FACTORS}/passkeys/{passkey['id']}"
    renamed = await member.call("PATCH", path, {"name": "Old phone"})
    assert (renamed.status_code, renamed.json()["name"]) == (200, "Old phone")
    assert (await member.delete(path)).status_code == 204
    assert (await member.delete(path)).status_code == 404
    assert await member.factors() == {"totp": None, "passkeys": [], "recovery_codes_left": 0}
    assert (await member.actions())[-3:] == [
        "factor.passkey-added",
        "factor.passkey-renamed",
        "factor.passkey-removed",
    ]
    assert [subject for subject in await member.mails() if "Passkey" in subject] == ["Passkey added", "Passkey removed"]


async def test_no_mail_repeats_the_name_of_a_passkey(member: Member) -> None:
    await member.add_passkey(name="Click https://evil.example")
    await member.mails()
    assert not [mail for mail in member.service.mails_to(member.email) if "evil" in mail.text + mail.html]


async def test_several_devices_have_a_passkey_each_and_none_has_two(member: Member) -> None:
    first = await member.add_passkey(name="Laptop")
    assert (await member.post(f"{FACTORS}/passkeys/options")).json()["options"]["excludeCredentials"] == [
        {"id": b64(first.credential_id), "transports": ["hybrid", "internal"], "type": "public-key"}
    ]
    second = await member.add_passkey(name="Phone")
    assert [passkey["name"] for passkey in (await member.factors())["passkeys"]] == ["Laptop", "Phone"]
    for device in (first, second):
        assert (await login_with(member.person, device)).status_code == 200
    begun = (await member.post(f"{FACTORS}/passkeys/options")).json()
    twice = await member.post(
        f"{FACTORS}/passkeys",
        {"challenge": begun["challenge"], "credential": first.create(begun["options"]), "name": "Again"},
    )
    assert (twice.status_code, twice.json()["code"]) == (422, "passkey-not-added")


async def test_a_passkey_in_a_password_manager_is_known_as_such(member: Member) -> None:
    await member.add_passkey(Device(PUBLIC_URL, count=None, flags=PRESENT | VERIFIED | BACKUP_ELIGIBLE | BACKED_UP))
    assert [passkey["backed_up"] for passkey in (await member.factors())["passkeys"]] == [True]


async def test_there_is_a_most_of_passkeys(member: Member) -> None:
    for _ in range(MOST_PASSKEYS):
        await member.add_passkey()
    assert (await member.post(f"{FACTORS}/passkeys/options")).status_code == 409


@pytest.mark.parametrize(
    "cheats",
    [
        {"client_data": {"origin": "https://samples.example.evil.example"}},
        {"client_data": {"origin": "http://samples.example"}},
        {"client_data": {"type": "webauthn.get"}},
        {"client_data": {"challenge": b64(bytes(32))}},
        {"rp_id": "evil.example"},
    ],
    ids=["another origin", "without https", "another purpose", "another challenge", "another site"],
)
async def test_a_passkey_made_elsewhere_or_for_something_else_is_not_added(
    member: Member, cheats: dict[str, Any]
) -> None:
    begun = (await member.post(f"{FACTORS}/passkeys/options")).json()
    credential = Device(PUBLIC_URL).create(begun["options"], **cheats)
    body = {"challenge": begun["challenge"], "credential": credential, "name": "Laptop"}
    answer = await member.post(f"{FACTORS}/passkeys", body)
    assert (answer.status_code, answer.json()["code"]) == (422, "passkey-not-added")
    assert (await member.post(f"{FACTORS}/passkeys", body)).json()["code"] == "challenge-expired"
    assert (await member.factors())["passkeys"] == []


async def test_a_device_that_does_not_check_who_uses_it_is_not_added(member: Member) -> None:
    begun = (await member.post(f"{FACTORS}/passkeys/options")).json()
    credential = Device(PUBLIC_URL, flags=PRESENT).create(begun["options"])
    body = {"challenge": begun["challenge"], "credential": credential, "name": "Key"}
    assert (await member.post(f"{FACTORS}/passkeys", body)).status_code == 422


async def test_a_registration_is_answered_by_whoever_began_it_in_five_minutes(service: Service, member: Member) -> None:
    begun = (await member.post(f"{FACTORS}/passkeys/options")).json()
    body = {
        "challenge": begun["challenge"],
        "credential": Device(PUBLIC_URL).create(begun["options"]),
        "name": "Laptop",
    }
    async with service.visitor() as visitor:
        other = await sign_in(service, visitor)
        assert (await other.post(f"{FACTORS}/passkeys", body)).status_code == 410
    service.clock.ahead += timedelta(minutes=5, seconds=1)
    assert (await member.post(f"{FACTORS}/passkeys", body)).status_code == 410


@pytest.mark.parametrize("name", ["", "   ", "x" * 101, "two\nlines", None])
async def test_a_passkey_has_a_name_of_one_line(member: Member, name: str | None) -> None:
    begun = (await member.post(f"{FACTORS}/passkeys/options")).json()
    credential = Device(PUBLIC_URL).create(begun["options"])
    body = {"challenge": begun["challenge"], "credential": credential, "name": name}
    assert (await member.post(f"{FACTORS}/passkeys", body)).status_code == 422


async def test_a_strangers_passkey_is_like_none(service: Service, member: Member) -> None:
    await member.add_passkey()
    (passkey,) = (await member.factors())["passkeys"]
    async with service.visitor() as visitor:
        other = await sign_in(service, visitor)
        path = f"{FACTORS}/passkeys/{passkey['id']}"
        assert (await other.call("PATCH", path, {"name": "mine"})).status_code == 404
        assert (await other.delete(path)).status_code == 404
    assert [each["name"] for each in (await member.factors())["passkeys"]] == ["Laptop"]


# Signing in


async def test_a_passkey_signs_in_alone_and_stands_for_two_factors(member: Member) -> None:
    device = await member.add_passkey()
    begun = await begin(member.person)
    assert begun["options"]["allowCredentials"] == []
    assert begun["options"]["userVerification"] == "required"
    answer = await finish(member.person, begun, device.get(begun["options"]))
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json()["user"]["email"] == member.email
    member.token = answer.json()["token"]
    sessions = (await member.get("/api/auth/sessions")).json()["sessions"]
    assert [each["second_factor"] for each in sessions if each["current"]] == [True]
    assert (await member.activity())[-1] == ("session.began", {"method": "passkey"})
    assert (await member.factors())["passkeys"][0]["last_used_at"] is not None


async def test_a_passkey_in_cookie_mode_leaves_no_refresh_token_in_the_body(member: Member) -> None:
    device = await member.add_passkey()
    begun = await begin(member.person)
    body = {"challenge": begun["challenge"], "credential": device.get(begun["options"])}
    answer = await member.person.post(LOGIN, body)
    assert "refresh_token" not in answer.json()
    assert "__Host-refresh" in answer.headers["set-cookie"]


async def test_a_passkey_finishes_what_the_password_began(member: Member) -> None:
    device = await member.add_passkey()
    asked = await member.begin_login()
    assert asked["methods"] == ["passkey", "recovery-code"]
    assert [each["id"] for each in asked["passkey_options"]["allowCredentials"]] == [b64(device.credential_id)]
    answer = await member.finish_login(asked["challenge"], credential=device.get(asked["passkey_options"]))
    assert answer.status_code == 200, answer.text
    assert (await member.activity())[-1] == ("session.began", {"method": "password+passkey"})


@pytest.mark.parametrize(
    "cheats",
    [
        {"client_data": {"origin": "https://evil.example"}},
        {"client_data": {"type": "webauthn.create"}},
        {"client_data": {"challenge": b64(bytes(32))}},
        {"rp_id": "evil.example"},
        {"user_handle": bytes(16)},
    ],
    ids=["another origin", "another purpose", "another challenge", "another site", "another person"],
)
async def test_an_answer_that_was_meant_for_something_else_signs_nobody_in(
    member: Member, cheats: dict[str, Any]
) -> None:
    device = await member.add_passkey()
    refused = await login_with(member.person, device, **cheats)
    assert (refused.status_code, refused.json()["code"]) == (401, "passkey-unknown")
    asked = await member.begin_login()
    credential = device.get(asked["passkey_options"], **cheats)
    refused = await member.finish_login(asked["challenge"], credential=credential)
    assert (refused.status_code, refused.json()["errors"][0]["loc"]) == (422, ["body", "credential"])
    assert (await login_with(member.person, device)).status_code == 200, "the device itself is good"


@pytest.mark.parametrize("flags", [0, PRESENT, VERIFIED])
async def test_a_device_that_did_not_see_its_owner_signs_nobody_in(member: Member, flags: int) -> None:
    device = await member.add_passkey()
    device.flags = flags
    assert (await login_with(member.person, device)).status_code == 401


async def test_an_altered_answer_signs_nobody_in(member: Member) -> None:
    device = await member.add_passkey()
    for part in ("signature", "authenticatorData", "clientDataJSON"):
        begun = await begin(member.person)
        credential = device.get(begun["options"])
        altered = bytearray(unb64(credential["response"][part]))
        altered[-1] ^= 1
        credential["response"][part] = b64(bytes(altered))
        assert (await finish(member.person, begun, credential)).status_code == 401


async def test_somebody_elses_key_under_the_right_name_signs_nobody_in(member: Member) -> None:
    device = await member.add_passkey()
    forged = Device(PUBLIC_URL, credential_id=device.credential_id, user_handle=device.user_handle)
    assert (await login_with(member.person, forged)).status_code == 401


async def test_an_answer_is_good_for_one_sign_in(member: Member) -> None:
    device = await member.add_passkey(Device(PUBLIC_URL, count=None))
    begun = await begin(member.person)
    credential = device.get(begun["options"])
    answers = await asyncio.gather(*(finish(member.person, begun, credential) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200] + [410] * 4
    again = await begin(member.person)
    assert (await finish(member.person, again, credential)).status_code == 401


async def test_a_challenge_lives_five_minutes(service: Service, member: Member) -> None:
    device = await member.add_passkey()
    begun = await begin(member.person)
    service.clock.ahead += timedelta(minutes=5, seconds=1)
    late = await finish(member.person, begun, device.get(begun["options"]))
    assert (late.status_code, late.json()["code"]) == (410, "challenge-expired")


async def test_challenges_do_not_stand_in_for_each_other(service: Service, member: Member) -> None:
    device = await member.add_passkey()
    sign_in_challenge = await begin(member.person)
    second = await member.begin_login()
    step_up = (await member.post("/api/auth/step-up/passkey-options")).json()
    adding = (await member.post(f"{FACTORS}/passkeys/options")).json()
    second_options = {"challenge": second["challenge"], "options": second["passkey_options"]}
    for begun in (second_options, step_up):
        assert (await finish(member.person, begun, device.get(begun["options"]))).status_code == 410
    for begun in (sign_in_challenge, step_up):
        credential = device.get(begun["options"])
        assert (await member.finish_login(begun["challenge"], credential=credential)).status_code == 410
    for begun in (sign_in_challenge, second_options):
        body = {"challenge": begun["challenge"], "credential": device.get(begun["options"])}
        assert (await member.post("/api/auth/step-up", body)).status_code == 410
    for begun in (sign_in_challenge, second_options, step_up):
        body = {"challenge": begun["challenge"], "credential": device.get(begun["options"]), "name": "x"}
        assert (await member.post(f"{FACTORS}/passkeys", body)).status_code == 410
    body = {"challenge": adding["challenge"], "credential": {}}
    assert (await member.post("/api/auth/step-up", body)).status_code == 410


async def test_one_persons_passkey_does_not_answer_anothers_challenge(service: Service, member: Member) -> None:
    await member.add_passkey()
    asked = await member.begin_login()
    async with service.visitor() as visitor:
        other = await sign_in(service, visitor)
        theirs = await other.add_passkey()
        credential = theirs.get(asked["passkey_options"])
        assert (await member.finish_login(asked["challenge"], credential=credential)).status_code == 422
        options = (await member.post("/api/auth/step-up/passkey-options")).json()
        body = {"challenge": options["challenge"], "credential": theirs.get(options["options"])}
        assert (await other.post("/api/auth/step-up", body)).status_code == 410
        assert (await member.post("/api/auth/step-up", body)).status_code == 422


async def test_a_counter_that_goes_back_is_refused_recorded_and_mailed(member: Member) -> None:
    device = await member.add_passkey()
    stolen = copy.copy(device)
    for _ in range(3):
        assert (await login_with(member.person, device)).status_code == 200
    for _ in range(3):
        assert (await login_with(member.person, stolen)).status_code == 401
    await member.record_refusals()
    assert (await member.activity())[-1] == ("session.refused", {"reason": "copied-passkey", "count": 1})
    assert "Sign-in with a passkey refused" in await member.mails()
    assert (await login_with(member.person, stolen)).status_code == 200, "count is past: nobody can tell any longer"


async def test_a_counter_means_nothing_without_the_signature(member: Member) -> None:
    device = await member.add_passkey()
    for _ in range(2):
        assert (await login_with(member.person, device)).status_code == 200
    forged = Device(PUBLIC_URL, credential_id=device.credential_id, user_handle=device.user_handle)
    assert (await login_with(member.person, forged)).status_code == 401
    assert "Sign-in with a passkey refused" not in await member.mails()


async def test_devices_that_do_not_count_sign_in_again_and_again(member: Member) -> None:
    device = await member.add_passkey(Device(PUBLIC_URL, count=None))
    for _ in range(3):
        assert (await login_with(member.person, device)).status_code == 200


async def test_a_removed_passkey_signs_nobody_in(member: Member) -> None:
    device = await member.add_passkey()
    begun = await begin(member.person)
    (passkey,) = (await member.factors())["passkeys"]
    assert (await member.delete(f"{FACTORS}/passkeys/{passkey['id']}")).status_code == 204
    assert (await finish(member.person, begun, device.get(begun["options"]))).status_code == 401


async def test_an_account_that_is_switched_off_stays_so(service: Service, member: Member) -> None:
    from sqlalchemy import text

    device = await member.add_passkey()
    async with service.database.transaction(purpose="identity") as db:
        await db.execute(text("update users set is_active = false where id = :id"), {"id": member.id})
    refused = await login_with(member.person, device)
    assert (refused.status_code, refused.json()["code"]) == (403, "account-disabled")


def _nested(depth: int) -> bytes:
    return b"\x81" * depth + b"\x00"


async def test_no_answer_however_odd_breaks_anything(member: Member) -> None:
    device = await member.add_passkey()
    options = (await begin(member.person))["options"]
    good = device.get(options)
    response = good["response"]
    data = hashlib.sha256(b"samples.example").digest()
    odd: list[dict[str, Any]] = [
        {},
        {"rawId": 5},
        {**good, "id": "other"},
        {**good, "type": "password"},
        {**good, "rawId": "!!!"},
        {**good, "rawId": "é\ud7ff"},
        {**good, "response": None},
        {**good, "response": []},
        {**good, "response": {}},
        {**good, "authenticatorAttachment": "teapot"},
        {**good, "response": {**response, "clientDataJSON": b64(b"[]")}},
        {**good, "response": {**response, "clientDataJSON": b64(b'{"type":[],"challenge":5,"origin":{}}')}},
        {**good, "response": {**response, "clientDataJSON": b64(b"\xff\xfe")}},
        {**good, "response": {**response, "authenticatorData": b64(data)}},
        {**good, "response": {**response, "authenticatorData": b64(data + b"\xc5" + bytes(4) + _nested(5000))}},
        {**good, "response": {**response, "signature": ""}},
        {**good, "response": {**response, "userHandle": 7}},
        {**good, "response": {**response, "userHandle": "A"}},
    ]
    for credential in odd:
        answer = await finish(member.person, await begin(member.person), credential)
        assert answer.status_code == 401, credential
    attestations = [
        b"",
        b"\x00",
        _nested(5000),
        cbor2.dumps({}),
        cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": b""}),
        cbor2.dumps(
            {"fmt": "packed", "attStmt": {"alg": -7, "sig": b"", "x5c": [b"no certificate"]}, "authData": data}
        ),
        cbor2.dumps({"fmt": [], "attStmt": [], "authData": 5}),
    ]
    for attestation in attestations:
        begun = (await member.post(f"{FACTORS}/passkeys/options")).json()
        credential = Device(PUBLIC_URL).create(begun["options"])
        credential["response"]["attestationObject"] = b64(attestation)
        credential["response"]["transports"] = [[], {}, "usb", "tin-can", 5]
        body = {"challenge": begun["challenge"], "credential": credential, "name": "Odd"}
        assert (await member.post(f"{FACTORS}/passkeys", body)).status_code == 422


@pytest.mark.parametrize(
    ("public_url", "site", "origin"),
    [
        ("http://localhost:8000", "localhost", "http://localhost:8000"),
        ("https://samples.example:443", "samples.example", "https://samples.example"),
        ("https://Samples.Example/", "samples.example", "https://samples.example"),
        ("http://[::1]:8000", "::1", "http://[::1]:8000"),
    ],
)
async def test_the_site_is_where_people_reach_the_web_app(
    service: Service, person: Person, public_url: str, site: str, origin: str
) -> None:
    settings = service.settings.model_copy(update={"public_url": public_url})
    local = Service(settings, service.database, service.keys)
    async with local.visitor() as visitor:
        member = await sign_in(local, visitor)
        device = await member.add_passkey(Device(origin))
        begun = await begin(visitor)
        assert begun["options"]["rpId"] == site
        assert (await finish(visitor, begun, device.get(begun["options"]))).status_code == 200
