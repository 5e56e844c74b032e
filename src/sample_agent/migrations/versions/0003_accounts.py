"""Accounts: registrations, second factors, API keys, organizations, privacy, mails, and the audit log."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

USER = "nullif(current_setting('app.user_id', true), '')::uuid"
IDENTITY = "current_setting('app.purpose', true) = 'identity'"
OWN = f"user_id = {USER}"
MEMBER = (
    f"exists (select from memberships where memberships.organization_id = organizations.id"
    f" and memberships.user_id = {USER})"
)

POLICIES = {
    "registrations": IDENTITY,
    "user_preferences": f"{OWN} or {IDENTITY}",
    "api_keys": f"{OWN} or {IDENTITY}",
    "authenticators": f"{OWN} or {IDENTITY}",
    "recovery_codes": f"{OWN} or {IDENTITY}",
    "passkeys": f"{OWN} or {IDENTITY}",
    "challenges": f"{OWN} or {IDENTITY}",
    "refused_sign_ins": f"{OWN} or {IDENTITY}",
    "organizations": f"{MEMBER} or {IDENTITY}",
    "memberships": f"{OWN} or {IDENTITY}",
    "invitations": f"{OWN} or {IDENTITY}",
    "data_exports": f"{OWN} or {IDENTITY}",
    "erasures": IDENTITY,
    "mail_log": f"{OWN} or {IDENTITY}",
    "audit_entries": f"tenant_id = {USER} or {IDENTITY}",
    "audit_contexts": f"tenant_id = {USER} or {IDENTITY}",
}


def upgrade() -> None:
    create_registrations()
    change_users_and_sessions()
    create_factors()
    create_api_keys()
    create_organizations()
    create_privacy()
    create_mail_log()
    create_audit_log()
    change_jobs()
    for table, visible in POLICIES.items():
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        op.execute(f"create policy own_rows on {table} using ({visible}) with check ({visible})")
    # What is in the audit log stays as it is, whoever gets hold of the application's connection.
    op.execute("revoke update, delete, truncate on audit_entries from sample_agent_app")
    op.execute("revoke update, truncate on audit_contexts from sample_agent_app")
    op.execute("revoke update, delete, truncate on erasures from sample_agent_app")


def moment(name: str, *, nullable: bool = False, default: bool = True) -> sa.Column[Any]:
    return sa.Column(
        name,
        sa.DateTime(timezone=True),
        nullable=nullable,
        server_default=sa.text("now()") if default and not nullable else None,
    )


def person(
    table: str, name: str = "user_id", *, nullable: bool = False
) -> tuple[sa.Column[Any], sa.ForeignKeyConstraint]:
    return (
        sa.Column(name, sa.Uuid(), nullable=nullable),
        sa.ForeignKeyConstraint([name], ["users.id"], name=f"fk_{table}_{name}", ondelete="CASCADE"),
    )


def create_registrations() -> None:
    op.create_table(
        "registrations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.String(255), nullable=False),
        sa.Column("password_hash", sa.String(255), nullable=False),
        sa.Column("first_name", sa.String(255), nullable=False),
        sa.Column("last_name", sa.String(255), nullable=False),
        moment("created_at"),
        moment("expires_at", default=False),
        sa.PrimaryKeyConstraint("id", name="pk_registrations"),
    )
    op.create_index("ix_registrations_email", "registrations", ["email"])
    # Accounts that were never confirmed become what they are: registrations that wait for a mail to be answered.
    op.execute("alter table users no force row level security")
    op.execute(
        "insert into registrations (id, email, password_hash, first_name, last_name, created_at, expires_at)"
        " select id, email, password_hash, first_name, last_name, updated_at, updated_at + interval '7 days'"
        " from users where email_verified_at is null"
    )
    op.execute("delete from users where email_verified_at is null")
    op.execute("alter table users force row level security")


def change_users_and_sessions() -> None:
    op.add_column("users", moment("delete_after", nullable=True))
    op.add_column("users", moment("mail_refused_at", nullable=True))
    op.add_column("users", sa.Column("credentials_id", sa.Uuid(), nullable=True))
    op.create_index(
        "ix_users_delete_after", "users", ["delete_after"], postgresql_where=sa.text("delete_after is not null")
    )
    op.add_column("sessions", moment("authenticated_at"))
    op.add_column("sessions", sa.Column("second_factor", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.alter_column("sessions", "second_factor", server_default=None)
    op.add_column("sessions", sa.Column("began_from", sa.String(64), nullable=False, server_default=""))
    op.alter_column("sessions", "began_from", server_default=None)
    op.add_column("sessions", sa.Column("impersonator_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        "fk_sessions_impersonator_id", "sessions", "users", ["impersonator_id"], ["id"], ondelete="CASCADE"
    )
    op.add_column("sessions", sa.Column("impersonator_session_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        "fk_sessions_impersonator_session_id",
        "sessions",
        "sessions",
        ["impersonator_session_id"],
        ["id"],
        ondelete="CASCADE",
    )
    op.create_index(
        "ix_sessions_impersonator_id",
        "sessions",
        ["impersonator_id"],
        postgresql_where=sa.text("impersonator_id is not null"),
    )
    op.create_index("ix_sessions_impersonator_session_id", "sessions", ["impersonator_session_id"])
    op.add_column("one_time_tokens", sa.Column("email", sa.String(255), nullable=True))
    op.alter_column("one_time_tokens", "user_id", nullable=True)
    op.create_index(
        "ix_one_time_tokens_email", "one_time_tokens", ["email"], postgresql_where=sa.text("email is not null")
    )
    op.create_table(
        "user_preferences",
        *person("user_preferences"),
        sa.Column("auto_analyze_enabled", sa.Boolean(), nullable=False),
        sa.Column("selected_model", sa.String(100), nullable=False),
        sa.Column("notification_email_enabled", sa.Boolean(), nullable=False),
        moment("updated_at"),
        sa.PrimaryKeyConstraint("user_id", name="pk_user_preferences"),
    )


def create_factors() -> None:
    op.create_table(
        "authenticators",
        *person("authenticators"),
        sa.Column("sealed_seed", sa.LargeBinary(), nullable=False),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        moment("confirmed_at"),
        sa.PrimaryKeyConstraint("user_id", name="pk_authenticators"),
    )
    op.create_table(
        "recovery_codes",
        sa.Column("id", sa.Uuid(), nullable=False),
        *person("recovery_codes"),
        sa.Column("sealed_hash", sa.LargeBinary(), nullable=False),
        moment("created_at"),
        moment("used_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_recovery_codes"),
    )
    op.create_index("ix_recovery_codes_user_id", "recovery_codes", ["user_id"])
    op.create_table(
        "passkeys",
        sa.Column("id", sa.Uuid(), nullable=False),
        *person("passkeys"),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("credential_id", sa.LargeBinary(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("transports", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("backed_up", sa.Boolean(), nullable=False),
        moment("created_at"),
        moment("last_used_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_passkeys"),
        sa.UniqueConstraint("credential_id", name="uq_passkeys_credential_id"),
    )
    op.create_index("ix_passkeys_user_id", "passkeys", ["user_id"])
    op.create_table(
        "challenges",
        sa.Column("id", sa.Uuid(), nullable=False),
        *person("challenges", nullable=True),
        sa.Column("purpose", sa.String(32), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("expected", sa.LargeBinary(), nullable=True),
        sa.Column("password_digest", sa.LargeBinary(), nullable=True),
        sa.Column("wrong_answers", sa.SmallInteger(), nullable=False),
        moment("created_at"),
        moment("expires_at", default=False),
        moment("used_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_challenges"),
        sa.UniqueConstraint("token_hash", name="uq_challenges_token_hash"),
    )
    op.create_index("ix_challenges_user_id", "challenges", ["user_id"])
    op.create_table(
        "refused_sign_ins",
        *person("refused_sign_ins"),
        sa.Column("unrecorded", sa.Integer(), nullable=False),
        moment("recorded_at", nullable=True),
        sa.PrimaryKeyConstraint("user_id", name="pk_refused_sign_ins"),
    )


def create_api_keys() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Uuid(), nullable=False),
        *person("api_keys"),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("key_hash", sa.LargeBinary(), nullable=False),
        sa.Column("hint", sa.String(8), nullable=False),
        sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("requests_per_minute", sa.Integer(), nullable=True),
        moment("created_at"),
        moment("expires_at", nullable=True),
        moment("last_used_at", nullable=True),
        sa.Column("last_used_ip", sa.String(64), nullable=True),
        sa.Column("last_used_agent", sa.String(512), nullable=True),
        sa.Column("replaced_by", sa.Uuid(), nullable=True),
        moment("reminded_at", nullable=True),
        moment("revoked_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_api_keys"),
        sa.UniqueConstraint("key_hash", name="uq_api_keys_key_hash"),
        sa.ForeignKeyConstraint(["replaced_by"], ["api_keys.id"], name="fk_api_keys_replaced_by", ondelete="SET NULL"),
    )
    op.create_index("ix_api_keys_user_id", "api_keys", ["user_id"])


def create_organizations() -> None:
    op.create_table(
        "organizations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        moment("created_at"),
        moment("updated_at"),
        sa.PrimaryKeyConstraint("id", name="pk_organizations"),
    )
    op.create_table(
        "memberships",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        *person("memberships"),
        sa.Column("role", sa.String(16), nullable=False),
        moment("joined_at"),
        sa.PrimaryKeyConstraint("organization_id", "user_id", name="pk_memberships"),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name="fk_memberships_organization_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_memberships_user_id", "memberships", ["user_id"])
    op.create_index(
        "uq_memberships_owner",
        "memberships",
        ["organization_id"],
        unique=True,
        postgresql_where=sa.text("role = 'owner'"),
    )
    op.create_table(
        "invitations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        *person("invitations"),
        sa.Column("email", sa.String(255), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        moment("created_at"),
        moment("expires_at", default=False),
        moment("accepted_at", nullable=True),
        moment("withdrawn_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_invitations"),
        sa.UniqueConstraint("token_hash", name="uq_invitations_token_hash"),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name="fk_invitations_organization_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_invitations_organization_id", "invitations", ["organization_id"])
    op.create_index("ix_invitations_user_id", "invitations", ["user_id"])
    op.create_index("ix_invitations_email", "invitations", ["email"])
    op.create_index(
        "uq_invitations_open",
        "invitations",
        ["organization_id", "email"],
        unique=True,
        postgresql_where=sa.text("accepted_at is null and withdrawn_at is null"),
    )


def create_privacy() -> None:
    op.create_table(
        "data_exports",
        sa.Column("id", sa.Uuid(), nullable=False),
        *person("data_exports"),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("progress", sa.SmallInteger(), nullable=False),
        sa.Column("file_key", sa.String(255), nullable=True),
        sa.Column("file_size", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("attempts", sa.SmallInteger(), nullable=False),
        moment("created_at"),
        moment("completed_at", nullable=True),
        moment("expires_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_data_exports"),
    )
    op.create_index("ix_data_exports_user_id", "data_exports", ["user_id"])
    op.create_table(
        "erasures",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        moment("requested_at", default=False),
        moment("erased_at"),
        sa.Column("objects", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name="pk_erasures"),
    )


def create_mail_log() -> None:
    op.create_table(
        "mail_log",
        sa.Column("id", sa.Uuid(), nullable=False),
        *person("mail_log", nullable=True),
        sa.Column("email", sa.String(255), nullable=False),
        sa.Column("mail", sa.String(64), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("attempts", sa.SmallInteger(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        moment("created_at"),
        moment("sent_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_mail_log"),
    )
    op.create_index("ix_mail_log_user_id", "mail_log", ["user_id"])
    op.create_index("ix_mail_log_created_at", "mail_log", ["created_at"])


def create_audit_log() -> None:
    op.create_table(
        "audit_entries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        moment("at", default=False),
        sa.Column("action", sa.String(64), nullable=False),
        sa.Column("actor_kind", sa.String(16), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("subject_kind", sa.String(32), nullable=True),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.Column("context_hash", sa.LargeBinary(), nullable=False),
        sa.Column("previous_hash", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_entries"),
        sa.UniqueConstraint("tenant_id", "position", name="uq_audit_entries_tenant_id_position"),
    )
    op.create_index("ix_audit_entries_at", "audit_entries", ["at"])
    op.create_index("ix_audit_entries_action", "audit_entries", ["action"])
    op.create_table(
        "audit_contexts",
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("ip_address", sa.String(64), nullable=False),
        sa.Column("user_agent", sa.String(512), nullable=False),
        sa.Column("request_id", sa.String(64), nullable=False),
        sa.Column("detail", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("entry_id", name="pk_audit_contexts"),
        sa.ForeignKeyConstraint(["entry_id"], ["audit_entries.id"], name="fk_audit_contexts_entry_id"),
    )
    op.create_index("ix_audit_contexts_tenant_id", "audit_contexts", ["tenant_id"])


def change_jobs() -> None:
    op.add_column("processing_jobs", sa.Column("run_id", sa.Uuid(), nullable=True))
    op.create_index("ix_processing_jobs_run_id", "processing_jobs", ["run_id"])


def downgrade() -> None:
    raise RuntimeError("accounts are not undone by a downgrade; restore a backup instead")
