"""Identity: users, sessions, tokens. A program puts an `Identity` on `app.state.identity` and mounts `router`."""

from sample_agent.accounts.identity import CurrentUser, Identity, identity_of
from sample_agent.accounts.keys import Keys, load_keys
from sample_agent.accounts.plans import plan_of, set_plan
from sample_agent.accounts.principal import Principal
from sample_agent.accounts.routes import router
from sample_agent.accounts.service import create_user

__all__ = [
    "CurrentUser",
    "Identity",
    "Keys",
    "Principal",
    "create_user",
    "identity_of",
    "load_keys",
    "plan_of",
    "router",
    "set_plan",
]
