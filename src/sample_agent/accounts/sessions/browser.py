"""The refresh cookie, and the proof that a request which relies on it comes from the web app."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlsplit

import structlog
from fastapi import Request, Response
from sqlalchemy.exc import SQLAlchemyError

from sample_agent.accounts.client import DEVICE_COOKIES, Client
from sample_agent.accounts.errors import CrossSiteRequest
from sample_agent.accounts.identity import Identity
from sample_agent.accounts.models import User
from sample_agent.accounts.sessions.devices import KEPT_FOR, remembered
from sample_agent.accounts.sessions.schemas import SignedIn
from sample_agent.accounts.sessions.service import SignIn, session_of, sign_out
from sample_agent.core.database import LOST_CONNECTION
from sample_agent.core.settings import Settings

CLIENT_HEADER = "sample-agent"

log = structlog.get_logger("accounts")


def cookie_name(request: Request, settings: Settings) -> str:
    """`__Host-` binds the cookie to this host and to https; a plain http deployment cannot have it."""
    return "__Host-refresh" if _secure(request, settings) else "refresh"


def set_refresh_cookie(
    request: Request, response: Response, settings: Settings, token: str, expires_at: datetime
) -> None:
    response.set_cookie(
        cookie_name(request, settings),
        token,
        expires=expires_at,
        path="/",
        secure=_secure(request, settings),
        httponly=True,
        samesite="strict",
    )


def leave_browser(request: Request, response: Response, settings: Settings) -> None:
    """Take out of the browser what was there for the person who leaves: the refresh cookie, and what it has cached.

    `Clear-Site-Data` names the cache alone. Its `cookies` would take those of every host beside this one, its `storage`
    the volume and the layout people have chosen; nothing of theirs but these is stored there.
    """
    response.headers["Cache-Control"] = "no-store"
    response.headers["Clear-Site-Data"] = '"cache"'
    response.delete_cookie(
        cookie_name(request, settings),
        path="/",
        secure=_secure(request, settings),
        httponly=True,
        samesite="strict",
    )


def set_device_cookie(request: Request, response: Response, identity: Identity, user: User) -> None:
    """Have the browser remember that this account was signed in to with it."""
    name, plain_name = DEVICE_COOKIES
    secure = _secure(request, identity.settings)
    name = name if secure else plain_name
    response.set_cookie(
        name,
        remembered(identity.refresh_key, request.cookies.get(name, ""), user),
        max_age=int(KEPT_FOR.total_seconds()),
        path="/",
        secure=secure,
        httponly=True,
        samesite="strict",
    )


def _secure(request: Request, settings: Settings) -> bool:
    """Whether the browser keeps a `Secure` cookie: over https, and over plain http from its own machine only.

    Without https the address in the browser decides, which need not be the one in the settings: a tablet in the studio
    opens this machine by its number.
    """
    if urlsplit(settings.public_url).scheme == "https":
        return True
    return request.url.hostname in {"localhost", "127.0.0.1", "::1"}


def refuse_cross_site(request: Request, settings: Settings) -> None:
    """Raise CrossSiteRequest unless the header of the web app is there and the browser says the page is ours.

    `Sec-Fetch-Site` is what the browser says; where it is missing, `Origin` has to be this host or the public URL.
    """
    if request.headers.get("x-requested-with") != CLIENT_HEADER:
        raise CrossSiteRequest("The header `X-Requested-With: sample-agent` is missing.")
    _refuse_other_pages(request, settings)


def refuse_sign_in_from_elsewhere(request: Request, settings: Settings, *, in_cookie: bool) -> None:
    """Raise CrossSiteRequest when a page that is not ours would have the browser hold a session, somebody else's maybe.

    Programs say nothing about pages, and may keep cookies, too.
    """
    if in_cookie and {"sec-fetch-site", "origin"} & set(request.headers.keys()):
        _refuse_other_pages(request, settings)


def _refuse_other_pages(request: Request, settings: Settings) -> None:
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        if site != "same-origin":
            raise CrossSiteRequest("The browser says that another site sent this.")
        return
    public = urlsplit(settings.public_url)
    ours = {f"{public.scheme}://{public.netloc}", f"{public.scheme}://{request.headers.get('host')}"}
    if request.headers.get("origin") not in ours:
        raise CrossSiteRequest("The `Origin` of the request is not the web app's.")


async def replace_session(
    sign_in: SignIn, request: Request, response: Response, identity: Identity, client: Client, *, in_cookie: bool
) -> SignedIn:
    """The answer to whoever has just signed in. The session this browser held until now ends, whosesoever it was.

    They have signed in, and cannot with the same proof again. So they are answered, whatever becomes of the former one.
    """
    left = request.cookies.get(cookie_name(request, identity.settings)) if in_cookie else None
    if left:
        try:
            session_id = await session_of(identity, left)
            if session_id is not None:
                await sign_out(identity, session_id, client)
        except (SQLAlchemyError, *LOST_CONNECTION) as error:
            log.warning("the browser's former session was not ended", error=type(error).__name__)
    return hand_over(sign_in, request, response, identity, in_cookie=in_cookie)


def hand_over(
    sign_in: SignIn, request: Request, response: Response, identity: Identity, *, in_cookie: bool
) -> SignedIn:
    """The answer to whoever has a session now; its refresh token goes into the cookie or into the body."""
    response.headers["Cache-Control"] = "no-store"
    if in_cookie:
        set_refresh_cookie(request, response, identity.settings, sign_in.refresh_token, sign_in.refresh_expires_at)
        set_device_cookie(request, response, identity, sign_in.user)
    return SignedIn.of(sign_in, with_refresh_token=not in_cookie)
