"""Codes from authenticator apps: RFC 6238 with SHA-1, 30 seconds and six digits, which is what every app can do."""

from __future__ import annotations

import hmac
from datetime import datetime
from io import BytesIO

import pyotp
import segno

ISSUER = "SP-404MK2 Sample Agent"
"""What the app shows above the code."""

_STEPS_OFF = (-1, 0, 1)
"""How far the clocks of a phone and of this machine may differ, in steps of 30 seconds."""


def new_seed() -> str:
    """160 random bits in base32, which the app shares with us from now on."""
    return pyotp.random_base32(32)


def app_uri(seed: str, email: str) -> str:
    """The `otpauth://` address that sets an app up."""
    return pyotp.TOTP(seed).provisioning_uri(name=email, issuer_name=ISSUER)


def qr_svg(uri: str) -> str:
    """`uri` as a QR code: an SVG element without scripts, styles or references, for a page to show as an image."""
    out = BytesIO()
    segno.make_qr(uri, error="m").save(
        out, kind="svg", scale=4, border=4, light="#fff", xmldecl=False, svgclass=None, lineclass=None, nl=False
    )
    return out.getvalue().decode()


def matching_step(seed: str, code: str, now: datetime, *, after: int) -> int | None:
    """The time step near `now` that `code` belongs to; None for a wrong code, or one of step `after` or before."""
    totp = pyotp.TOTP(seed)
    current = totp.timecode(now)
    steps = [
        step
        for step in (current + off for off in _STEPS_OFF)
        if hmac.compare_digest(totp.generate_otp(step).encode(), code.encode()) and step > after
    ]
    return steps[0] if steps else None
