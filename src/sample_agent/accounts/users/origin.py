"""Where something was asked for, as the mails about it say it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sample_agent.accounts.client import Client
from sample_agent.accounts.device import device_label, place_of


def origin(client: Client, now: datetime) -> dict[str, Any]:
    """What a mail says of the device, its address and the time: our words alone, never those of the user agent."""
    place = place_of(client.ip_address)
    address = client.ip_address or "an unknown address"
    return {
        "device": device_label(client.user_agent),
        "address": f"{address} ({place})" if place else address,
        "at": f"{now:%d %B %Y, %H:%M} UTC",
    }
