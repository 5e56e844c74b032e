"""What can go wrong with an identity. Each docstring is the page its problem type links to."""

from __future__ import annotations

from typing import Any

from sample_agent.core.errors import Conflict, Forbidden, Problem, Unauthenticated, ValidationFailed


class InvalidCredentials(Problem):
    """The e-mail address and the password do not belong together. The answer is the same whether or not there is an
    account with this address."""

    status, code, title = 401, "invalid-credentials", "Wrong e-mail address or password"
    next_step = "Check both and try again."


class EmailNotVerified(Forbidden):
    """The password is right, but the address of the account has not been confirmed. Sign-in opens once the link in the
    confirmation mail has been followed; `resend` is where a new mail can be asked for."""

    code, title = "email-not-verified", "Confirm your e-mail address first"
    next_step = "Follow the link in the mail, or ask for a new one with POST /api/auth/resend-verification."

    def __init__(self, detail: str = "", **rest: Any) -> None:
        super().__init__(detail, extra={"resend": "/api/auth/resend-verification"}, **rest)


class AccountDisabled(Forbidden):
    """The password is right, but an administrator has switched this account off."""

    code, title = "account-disabled", "This account is switched off"
    next_step = "Ask an administrator to switch it on again."


class TokenExpired(Unauthenticated):
    """The access token was ours and has expired. This is routine: access tokens are short-lived."""

    code, title = "token-expired", "The access token has expired"
    next_step = "Exchange the refresh token for a new one with POST /api/auth/refresh, then repeat the request."


class TokenInvalid(Unauthenticated):
    """The bearer token is not an access token of this service: it is malformed, has been altered, or was signed by
    someone else."""

    code, title = "token-invalid", "The access token is not valid"
    next_step = "Sign in again."


class SessionExpired(Unauthenticated):
    """The sign-in behind this token has ended: it was signed out or revoked, it expired, or its refresh token was used
    a second time, which ends the session because the token may have been stolen."""

    code, title = "session-expired", "This sign-in has ended"
    next_step = "Sign in again."


class CrossSiteRequest(Forbidden):
    """A request that relies on the refresh cookie has to come from the web app itself: with the header
    `X-Requested-With: sample-agent`, and from a page of the same origin as the browser reports it."""

    code, title = "cross-site-request", "The request did not come from the web app"
    next_step = "Send `X-Requested-With: sample-agent` from a page of the same origin, or send the token in the body."


class OneTimeTokenSpent(Problem):
    """The link was followed before, is older than it may be, or was replaced by a newer mail."""

    status, code, title = 410, "token-expired-or-used", "This link no longer works"
    next_step = "Use the link in the newest mail, or ask for another one. If it worked before, sign in."


class PasswordTooCommon(ValidationFailed):
    """The password is on the list of passwords that are tried first when an account is attacked. Length is what makes
    a password strong; no mix of characters is asked for."""

    code, title = "password-too-common", "This password is too common"
    next_step = "Choose another one: a few unrelated words are easy to remember and hard to guess."


class EmailTaken(Conflict):
    """There is an account with this e-mail address already."""

    code, title = "email-taken", "There is an account with this address already"
    next_step = "Use another address, or sign in with this one."


class SessionRequired(Forbidden):
    """This can be done by a person at a session of theirs, and not with an API key."""

    code, title = "session-required", "Not possible with an API key"
    next_step = "Sign in with a password or a passkey and do it there."


class MissingScope(Forbidden):
    """The API key is good, but it was not given the scope this needs; `scope` names it."""

    code, title = "missing-scope", "The API key may not do this"
    next_step = "Create a key with this scope."


class StepUpRequired(Forbidden):
    """What was asked for is dangerous, and the last time the person proved who they are is too long ago."""

    code, title = "step-up-required", "Confirm that it is you"
    next_step = "Send the password, a code or a passkey to POST /api/auth/step-up, then repeat the request."


class SecondFactorMissing(Forbidden):
    """Administrators act only in a session that a second factor was part of; their keys, while they have one."""

    code, title = "second-factor-missing", "Administrators need a second factor"
    next_step = "Set up an authenticator app or a passkey, then sign in again with it."


class AdministratorsOnly(Forbidden):
    """This is for administrators of the installation."""

    code, title = "administrators-only", "For administrators only"
    next_step = "Ask an administrator."


class LastAdministrator(Conflict):
    """An installation has at least one administrator who can act; this would have been the end of the last one."""

    code, title = "last-administrator", "This is the last administrator"
    next_step = "Make somebody else an administrator first."


class OnlyLooking(Forbidden):
    """An administrator who looks through somebody's eyes can see what they see and change nothing."""

    code, title = "only-looking", "You are only looking"
    next_step = "End the impersonation to act in your own name."


class SecondFactorRequired(Forbidden):
    """The password is right, and the account asks for a second factor. `challenge` goes into the next request with a
    code or a passkey; `methods` are those the account has."""

    code, title = "second-factor-required", "Second factor needed"
    next_step = "Send `challenge` and a code to POST /api/auth/login/second-factor within five minutes."


class WrongProof(ValidationFailed):
    """The code, the passkey or the password that was to prove who one is does not fit. A code from an authenticator
    app works once and for about a minute, a recovery code works once."""

    code, title = "wrong-proof", "That is not right"
    next_step = "Wait for the app's next code, or use another of your factors."

    def __init__(self, field: str) -> None:
        super().__init__(_WRONG[field], errors=[{"loc": ["body", field], "msg": _WRONG[field]}])


_WRONG = {
    "password": "The password is wrong.",
    "current_password": "The current password is wrong.",
    "code": "The code is wrong, too old, or was used before.",
    "recovery_code": "The recovery code is wrong or was used before.",
    "credential": "The passkey was not accepted.",
}


class FactorNeeded(Forbidden):
    """The account has a second factor, so a password alone does not prove who one is; `methods` are what does."""

    code, title = "factor-needed", "Use your second factor"
    next_step = "Send a code or a passkey instead of the password."


class ChallengeExpired(Problem):
    """What was to be answered with a code or a passkey is older than five minutes, was answered before or too often
    wrongly, or the password was changed meanwhile."""

    status, code, title = 410, "challenge-expired", "This took too long"
    next_step = "Begin again."


class PasskeyUnknown(Problem):
    """The passkey does not belong to an account here, or what it says is not right."""

    status, code, title = 401, "passkey-unknown", "This passkey was not accepted"
    next_step = "Use another passkey, or sign in with your password."


class PasskeyNotAdded(ValidationFailed):
    """The browser's answer is not that of a new passkey for this site: it belongs to another site or to another
    request, or the device did not check who uses it."""

    code, title = "passkey-not-added", "The passkey could not be added"
    next_step = "Begin again, and let the device ask for your fingerprint, face or PIN."


class LastFactor(Conflict):
    """An administrator keeps at least one second factor."""

    code, title = "last-factor", "Administrators keep a second factor"
    next_step = "Add another one first."


class RoleTooLow(Forbidden):
    """You belong to the organization, but what you are in it does not allow this; `needed` is the lowest role that
    does. Administrators invite and remove members, but neither other administrators nor the owner; nobody gives a role
    above their own."""

    code, title = "role-too-low", "Your role in this organization does not allow it"
    next_step = "Ask the owner of the organization, or one of its administrators."

    @classmethod
    def below(cls, needed: str) -> RoleTooLow:
        return cls(f"This needs the role `{needed}`.", extra={"needed": needed})


class OrganizationNeedsOwner(Conflict):
    """An organization has exactly one owner at all times, so the owner can neither leave nor take a lower role, and
    cannot delete their account, while others belong to it. `organizations` names those concerned."""

    code, title = "organization-needs-owner", "The organization needs an owner"
    next_step = "Transfer the organization to another member, or delete it."


class AlreadyMember(Conflict):
    """Whoever has this address belongs to the organization already."""

    code, title = "already-a-member", "Already a member"
    next_step = "Change their role in the list of members."


class OrganizationLimitReached(Conflict):
    """Nobody can belong to more organizations than this; `limit` says how many."""

    code, title = "organization-limit-reached", "Too many organizations"
    next_step = "Leave or delete one that you no longer need."


class MemberLimitReached(Conflict):
    """The organization has as many members as it can have; `limit` says how many."""

    code, title = "member-limit-reached", "The organization is full"
    next_step = "Have somebody removed who no longer takes part."


class InvitationLimitReached(Conflict):
    """As many invitations of this organization wait for an answer as can; `limit` says how many."""

    code, title = "invitation-limit-reached", "Too many open invitations"
    next_step = "Withdraw invitations that nobody answers."


class InvitationForSomebodyElse(Forbidden):
    """The invitation is good, and it was made to another address than that of this account. It was not used up."""

    code, title = "invitation-for-another-address", "This invitation is for another address"
    next_step = "Sign in with the account of the invited address, or ask for an invitation to yours."


class ConfirmationMismatch(ValidationFailed):
    """What cannot be undone is confirmed by typing the name of what it is done to, exactly as it is written."""

    code, title = "confirmation-mismatch", "The name does not match"
    next_step = "Type the name exactly as it is written, upper and lower case included."


class ModelNotIncluded(Forbidden):
    """The model belongs to a larger plan than yours; `plan` is the smallest one that includes it."""

    code, title = "model-not-included", "Your plan does not include this model"
    next_step = "Choose another model, or change to the plan in `plan`."


class NotAPicture(Problem):
    """The file is no PNG, JPEG, WebP or GIF, is damaged, or has far too many pixels. What it is called, or is said to
    be, plays no part."""

    status, code, title = 415, "not-a-picture", "This is not a picture we can use"
    next_step = "Choose a PNG, JPEG, WebP or GIF with at most 40 million pixels."


class ExportUnderWay(Conflict):
    """A copy of your data is being made already; `export_id` names it."""

    code, title = "export-under-way", "A copy is being made already"
    next_step = "Wait until it is ready; a mail will tell you."


class ExportNotReady(Conflict):
    """The copy is not ready yet, could not be made, or was deleted again after its time."""

    code, title = "export-not-ready", "There is nothing to download"
    next_step = "Look at the copy's `status`; ask for a new copy if this one failed or has expired."


class NoDeletionAsked(Conflict):
    """The account is not about to be deleted, so there is nothing to take back; or its time has run out."""

    code, title = "no-deletion-asked", "The account is not about to be deleted"
    next_step = "Nothing has to be done."


class TooManyApiKeys(Conflict):
    """An account can hold so many API keys at once and no more; `limit` says how many."""

    code, title = "too-many-api-keys", "There are too many API keys"
    next_step = "Revoke keys that nothing uses any more."


class ApiKeyReplaced(Conflict):
    """The key was rotated before, and the key that took its place works; `replaced_by` names it."""

    code, title = "api-key-replaced", "This key has been replaced"
    next_step = "Use the key that replaced it, or rotate that one."


class SameEmail(ValidationFailed):
    """The new address is the one the account has."""

    code, title = "same-email", "This is your address already"
    next_step = "Enter the address you want to change to."
