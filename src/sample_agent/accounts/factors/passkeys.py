"""Passkeys: WebAuthn as the web app's site speaks it. What this module returns has been verified.

A passkey is asked for a gesture and for who makes it (fingerprint, face or PIN), so that it alone stands for two
factors. Which maker a device is of is not asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import structlog
from webauthn import (
    base64url_to_bytes,
    generate_authentication_options,
    generate_registration_options,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import options_to_json_dict
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from sample_agent.accounts.errors import PasskeyNotAdded
from sample_agent.accounts.factors.challenges import LIFETIME
from sample_agent.accounts.factors.totp import ISSUER
from sample_agent.accounts.models import Passkey, User

CHALLENGE_BYTES = 32

_DEFAULT_PORTS = {"https": 443, "http": 80}
_TIMEOUT_MS = int(LIFETIME.total_seconds() * 1000)
_TRANSPORTS = {transport.value for transport in AuthenticatorTransport}

log = structlog.get_logger("accounts")


@dataclass(frozen=True)
class Site:
    """What a passkey is bound to: `id` is the host's name, `origin` what the browser says a page comes from."""

    id: str
    origin: str


@dataclass(frozen=True)
class NewPasskey:
    """What a device has made for us."""

    credential_id: bytes
    public_key: bytes
    sign_count: int
    transports: list[str]
    backed_up: bool


@dataclass(frozen=True)
class Use:
    """A use of a passkey whose signature is right. `copied`: its counter has gone back, so there are two of it."""

    sign_count: int
    backed_up: bool
    copied: bool


def site_of(public_url: str) -> Site:
    """The site of an installation."""
    parts = urlsplit(public_url)
    host = parts.hostname or ""
    port = "" if parts.port in (None, _DEFAULT_PORTS.get(parts.scheme)) else f":{parts.port}"
    return Site(host, f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{port}")


def creation_options(site: Site, user: User, existing: Sequence[Passkey], challenge: bytes) -> dict[str, Any]:
    """What the browser needs to make a passkey; `existing` ones are not made twice on a device."""
    options = generate_registration_options(
        rp_id=site.id,
        rp_name=ISSUER,
        user_id=user.id.bytes,
        user_name=user.email,
        user_display_name=f"{user.first_name} {user.last_name}".strip() or user.email,
        challenge=challenge,
        timeout=_TIMEOUT_MS,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.PREFERRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=_descriptors(existing),
    )
    return options_to_json_dict(options)


def request_options(site: Site, allowed: Sequence[Passkey], challenge: bytes) -> dict[str, Any]:
    """What the browser needs to use a passkey: one of those `allowed`, or without any whichever it finds for us."""
    options = generate_authentication_options(
        rp_id=site.id,
        challenge=challenge,
        timeout=_TIMEOUT_MS,
        allow_credentials=_descriptors(allowed),
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return options_to_json_dict(options)


def new_passkey(site: Site, credential: dict[str, Any], challenge: bytes) -> NewPasskey:
    """Verify the answer to `creation_options`. Raises PasskeyNotAdded."""
    try:
        verified = verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=site.id,
            expected_origin=site.origin,
            require_user_verification=True,
        )
    except Exception as error:
        # Whatever a parser trips over in a stranger's bytes, it is no passkey.
        log.info("passkey not added", error=type(error).__name__)
        raise PasskeyNotAdded from None
    named = credential["response"].get("transports")
    transports = (
        sorted({name for name in named if isinstance(name, str) and name in _TRANSPORTS})
        if isinstance(named, list)
        else []
    )
    return NewPasskey(
        credential_id=verified.credential_id,
        public_key=verified.credential_public_key,
        sign_count=verified.sign_count,
        transports=transports,
        backed_up=verified.credential_backed_up,
    )


def named_credential(credential: dict[str, Any]) -> bytes | None:
    """The id of the passkey that an answer says it comes from."""
    try:
        return base64url_to_bytes(credential["rawId"])
    except Exception:  # anything may stand there
        return None


def verified_use(site: Site, credential: dict[str, Any], challenge: bytes, passkey: Passkey) -> Use | None:
    """Verify the answer to `request_options` against a passkey; None when it is not right."""
    try:
        verified = verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=site.id,
            expected_origin=site.origin,
            credential_public_key=passkey.public_key,
            # The library looks at the counter before the signature; a counter means nothing until that is right.
            credential_current_sign_count=0,
            require_user_verification=True,
        )
        handle = credential["response"].get("userHandle")
        if handle is not None and base64url_to_bytes(handle) != passkey.user_id.bytes:
            return None
    except Exception as error:
        log.info("passkey refused", error=type(error).__name__, user_id=str(passkey.user_id))
        return None
    counts = verified.new_sign_count > 0 or passkey.sign_count > 0
    return Use(
        sign_count=verified.new_sign_count,
        backed_up=verified.credential_backed_up,
        copied=counts and verified.new_sign_count <= passkey.sign_count,
    )


def _descriptors(passkeys: Sequence[Passkey]) -> list[PublicKeyCredentialDescriptor]:
    return [
        PublicKeyCredentialDescriptor(
            id=passkey.credential_id,
            transports=[AuthenticatorTransport(name) for name in passkey.transports] or None,
        )
        for passkey in passkeys
    ]
