"""Alembic's entry: runs the migrations over the connection that `apps.migrate` hands in."""

from alembic import context

from sample_agent.accounts import models as _accounts
from sample_agent.billing import models as _billing
from sample_agent.core.database import Model
from sample_agent.library import models as _library

TABLES_OF = (_accounts, _billing, _library)

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Model.metadata,
    include_name=lambda name, kind, _parents: not (kind == "table" and (name or "").startswith("pgqueuer")),
    compare_server_default=False,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
