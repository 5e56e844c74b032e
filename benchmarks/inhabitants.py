"""People with full libraries, written straight into the database through the application's own tables."""

from __future__ import annotations

import hashlib
import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import insert

from sample_agent.accounts.clock import utc_now
from sample_agent.accounts.models import Session, User
from sample_agent.accounts.passwords import Passwords
from sample_agent.accounts.signing.access_tokens import AccessTokens
from sample_agent.accounts.signing.keys import load_keys
from sample_agent.core.database import Database
from sample_agent.core.identifiers import new_id
from sample_agent.core.settings import Settings
from sample_agent.library.keys import KEYS
from sample_agent.library.models import Sample
from sample_agent.library.search import search_text

PASSWORD = "four words nobody guesses"
_SUBJECTS = ("Kick", "Snare", "Hat", "Break", "Bass", "Rhodes", "Vocal", "Strings", "Pad", "Horns", "Guitar", "FX")
_MANNERS = ("dusty", "warm", "bright", "dark", "crunchy", "soft", "wide", "dry")
_TAGS = ("soul", "jazz", "lofi", "drums", "vinyl", "keys", "808", "field")
_PACKS = ("", "Crates/Vol 1", "Crates/Vol 2", "Phone", "SP dumps/Bank C")


@dataclass(frozen=True)
class Inhabitant:
    """Someone with an account (`PASSWORD`), some samples, and an access token for each of their devices."""

    user_id: UUID
    email: str
    tokens: Sequence[str]


async def move_in(settings: Settings, *, people: int, samples_each: int, devices_each: int) -> list[Inhabitant]:
    """Fill the database; the same arguments make the same libraries."""
    assert settings.database_url is not None
    database = Database(settings.database_url.get_secret_value(), pool_size=1)
    tokens = AccessTokens(load_keys(settings), issuer=settings.public_url, seconds=6 * 3600, now=utc_now)
    password_hash = await Passwords(concurrency=1).hash(PASSWORD)
    inhabitants = []
    try:
        for number in range(people):
            user_id, email = new_id(), f"person-{number}@example.com"
            sessions = [new_id() for _ in range(devices_each)]
            async with database.transaction(user_id, purpose="identity") as session:
                await session.execute(
                    insert(User),
                    [{"id": user_id, "email": email, "password_hash": password_hash, "email_verified_at": utc_now()}],
                )
                await session.execute(
                    insert(Session),
                    [
                        {"id": each, "user_id": user_id, "expires_at": utc_now() + timedelta(days=1)}
                        for each in sessions
                    ],
                )
            async with database.transaction(user_id) as session:
                await session.execute(insert(Sample), list(_samples(user_id, number, samples_each)))
            issued = [
                tokens.issue(user_id=user_id, session_id=each, email=email, tier=settings.plan_for_new_accounts)
                for each in sessions
            ]
            inhabitants.append(Inhabitant(user_id, email, issued))
    finally:
        await database.close()
    return inhabitants


def _samples(user_id: UUID, seed: int, count: int) -> Iterator[dict[str, Any]]:
    dice = random.Random(seed)
    for number in range(count):
        kind = dice.choices(("one-shot", "loop", "track"), (60, 35, 5))[0]
        subject, manner = dice.choice(_SUBJECTS), dice.choice(_MANNERS)
        tempo = None if kind == "one-shot" else round(dice.uniform(65, 180), 2)
        tags = sorted(dice.sample(_TAGS, dice.randint(0, 3)))
        name = f"{manner.title()} {subject} {number:03d}"
        vibe = f"A {manner} {subject.lower()}" + (f" that moves at {tempo:.0f} BPM" if tempo else ", short and direct")
        folder = dice.choice(_PACKS)
        sample_id = new_id()
        yield {
            "id": sample_id,
            "user_id": user_id,
            "filename": f"{name}.wav",
            "name": name,
            "folder": folder,
            "tags": tags,
            "favourite": dice.random() < 0.1,
            "file_key": f"uploads/{user_id}/{sample_id}.wav",
            "file_size": dice.randint(20_000, 8_000_000),
            "sha256": hashlib.sha256(sample_id.bytes).digest(),
            "format": "wav",
            "content_type": "audio/wav",
            "status": "completed",
            "duration": round(dice.uniform(0.1, 30), 4),
            "sample_rate": 48_000,
            "channels": 2,
            "loudness": round(dice.uniform(-30, -6), 1),
            "detected_kind": kind,
            "detected_tempo": tempo,
            "detected_key": dice.choice(sorted(KEYS)) if kind != "one-shot" else None,
            "corrected_tempo": round(tempo) if tempo and dice.random() < 0.1 else None,
            "waveform": bytes(
                int(255 * math.exp(-point / 40) * dice.uniform(0.6, 1)) for point in range(128)
            ),
            "vibe": vibe,
            "search_text": search_text(filename=f"{name}.wav", name=name, folder=folder, tags=tags, vibe=vibe),
            "created_at": utc_now() - timedelta(minutes=dice.randint(0, 500_000)),
        }  # fmt: skip
