"""What administrators are kept from. Each docstring is the page its problem type links to."""

from __future__ import annotations

from sample_agent.core.errors import Conflict, Forbidden


class NotFromHere(Forbidden):
    """The operator of this installation allows its administration from certain networks only."""

    code, title = "not-from-here", "Not from this network"
    next_step = "Use the network, or the VPN, that the operator has set aside for administrators."


class OwnAccount(Conflict):
    """Nobody suspends, deletes, demotes or looks through the eyes of themselves, not even by mistake."""

    code, title = "own-account", "This is your own account"
    next_step = "Ask another administrator, or use the settings of your own account."


class NotToBeImpersonated(Conflict):
    """Somebody's eyes can be looked through when they are no administrator and their account is not suspended."""

    code, title = "not-to-be-impersonated", "This account cannot be impersonated"
    next_step = "Look the account up in the list of users instead."


class NotImpersonating(Conflict):
    """The access token is that of somebody's own session, and of no impersonation."""

    code, title = "not-impersonating", "There is no impersonation to end"
    next_step = "Send the access token that the impersonation began with."
