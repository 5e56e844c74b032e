"""Alembic's entry: runs the migrations over the connection that `apps.migrate` hands in.

The tables' metadata is handed in too where it is needed (to compare, or to write a new migration); running migrations
does not need it, and loading every feature for it would cost more than the migrations do.
"""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=context.config.attributes.get("metadata"),
    include_name=lambda name, kind, _parents: not (kind == "table" and (name or "").startswith("pgqueuer")),
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
