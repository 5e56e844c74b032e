"""No seed and no code of a second factor is written anywhere in clear: not to logs, database, queue or mails."""

from __future__ import annotations

import base64
import logging
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from tests.accounts.deployment import PASSWORD, Person, Service
from tests.accounts.members import FACTORS, sign_in
from tests.accounts.test_secrets import _dump


async def test_no_seed_code_or_challenge_is_written_in_clear(
    service: Service, person: Person, owner_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with capture_logs() as events:
        member = await sign_in(service, person)
        pending = (await member.post(f"{FACTORS}/totp")).json()["secret"]
        dumps = [await _dump(owner_url)]
        await member.add_app()
        device = await member.add_passkey()
        asked = await member.begin_login()
        await member.finish_login(asked["challenge"], code="canary-61c")
        await member.finish_login(asked["challenge"], recovery_code="canary-61c-recovery")
        answered = await member.finish_login(asked["challenge"], recovery_code=member.recovery_codes[0])
        assert answered.status_code == 200
        stepping = (await member.post("/api/auth/step-up/passkey-options")).json()
        await member.post("/api/auth/step-up", {"password": "canary-61c-password"})
        proof = {"challenge": stepping["challenge"], "credential": device.get(stepping["options"])}
        assert (await member.post("/api/auth/step-up", proof)).status_code == 200
        renewed = (await member.post(f"{FACTORS}/recovery-codes")).json()["recovery_codes"]
        dumps.append(await _dump(owner_url))
        service.clock.ahead += timedelta(minutes=1)
        await member.record_refusals()
        await member.mails()
        dumps.append(await _dump(owner_url))
    mails = "".join(mail.text + mail.html for mail in service.mails_to(member.email))
    written = {
        "logs": repr(events) + caplog.text,
        "mails": mails,
        **{f"dump {n}": dump for n, dump in enumerate(dumps)},
    }
    assert len(events) > 10
    assert str(member.id) in dumps[0]
    assert "Recovery code used" in mails
    codes = [*member.recovery_codes, *renewed]
    bare = [code.replace("-", "") for code in codes]
    secrets = ["canary", PASSWORD, pending, member.seed, asked["challenge"], stepping["challenge"], *codes, *bare]
    for secret in secrets:
        for spelling in (secret, secret.encode().hex(), base64.b64encode(secret.encode()).decode()):
            assert [name for name, text in written.items() if spelling in text] == []
