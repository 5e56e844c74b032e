"""Bringing a whole library to a newer engine: which version analysed a sample, and the runs over all of them."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

OWN = "user_id = nullif(current_setting('app.user_id', true), '')::uuid"


def upgrade() -> None:
    op.create_table(
        "reanalyses",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("engine_version", sa.String(length=32), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_reanalyses_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reanalyses")),
    )
    op.create_index("ix_reanalyses_user_id_created_at", "reanalyses", ["user_id", "created_at"])
    op.execute("alter table reanalyses enable row level security")
    op.execute("alter table reanalyses force row level security")
    op.execute(f"create policy own_rows on reanalyses using ({OWN}) with check ({OWN})")
    op.add_column("processing_jobs", sa.Column("reanalysis_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_processing_jobs_reanalysis_id"),
        "processing_jobs",
        "reanalyses",
        ["reanalysis_id"],
        ["id"],
        ondelete="SET NULL",
    )
    op.create_index(op.f("ix_processing_jobs_reanalysis_id"), "processing_jobs", ["reanalysis_id"])
    op.add_column("samples", sa.Column("engine_version", sa.String(length=32), nullable=True))
    # Row-level security holds for the owner of the tables, too; what is there already has to be seen once.
    op.execute("alter table samples no force row level security")
    op.execute("alter table audio_features no force row level security")
    op.execute(
        "update samples set engine_version = latest.engine_version"
        "  from (select distinct on (sample_id) sample_id, engine_version from audio_features"
        "         order by sample_id, created_at desc) latest"
        " where latest.sample_id = samples.id"
    )
    op.execute("alter table samples force row level security")
    op.execute("alter table audio_features force row level security")


def downgrade() -> None:
    op.drop_column("samples", "engine_version")
    op.drop_column("processing_jobs", "reanalysis_id")
    op.drop_table("reanalyses")
