"""Identity: people, sessions, keys, teams. A program puts an `Identity` on `app.state.identity` and mounts `router`."""

from sample_agent.accounts.api import router
from sample_agent.accounts.caller import MEDIA, Administrator, CurrentUser, FreshlySignedIn, OwnTransaction, SignedIn
from sample_agent.accounts.client import Client, OfClient
from sample_agent.accounts.identity import Identity, OfApp, identity_of
from sample_agent.accounts.organizations.membership import Role, require_role
from sample_agent.accounts.plans import plan_of, set_plan
from sample_agent.accounts.principal import Principal
from sample_agent.accounts.signing.keys import Keys, load_keys
from sample_agent.accounts.users.preferences import preferences_of
from sample_agent.accounts.users.sign_up import create_user

__all__ = [
    "MEDIA",
    "Administrator",
    "Client",
    "CurrentUser",
    "FreshlySignedIn",
    "Identity",
    "Keys",
    "OfApp",
    "OfClient",
    "OwnTransaction",
    "Principal",
    "Role",
    "SignedIn",
    "create_user",
    "identity_of",
    "load_keys",
    "plan_of",
    "preferences_of",
    "require_role",
    "router",
    "set_plan",
]
