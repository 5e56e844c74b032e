"""Everything the audit log can say: one name for each thing that can happen."""

from __future__ import annotations

from enum import StrEnum


class Action(StrEnum):
    """What happened. The part before the dot is what it happened to."""

    ACCOUNT_CREATED = "account.created"
    ACCOUNT_PROMOTED = "account.promoted"
    ACCOUNT_DEMOTED = "account.demoted"
    ACCOUNT_SUSPENDED = "account.suspended"
    ACCOUNT_RESTORED = "account.restored"
    ACCOUNT_CHANGED = "account.changed"
    PLAN_CHANGED = "account.plan-changed"
    EMAIL_CHANGE_ASKED = "email.change-asked"
    EMAIL_CHANGED = "email.changed"
    EMAIL_CHANGE_UNDONE = "email.change-undone"
    PASSWORD_CHANGED = "password.changed"  # noqa: S105
    PASSWORD_RESET_ASKED = "password.reset-asked"  # noqa: S105
    PASSWORD_RESET = "password.reset"  # noqa: S105
    SIGNED_IN = "session.began"
    SIGN_IN_REFUSED = "session.refused"
    SIGNED_OUT = "session.ended"
    SESSION_REVOKED = "session.revoked"
    SESSIONS_REVOKED = "session.all-revoked"
    REFRESH_TOKEN_REUSED = "session.token-reused"  # noqa: S105
    STEPPED_UP = "session.stepped-up"
    TOTP_ADDED = "factor.totp-added"
    TOTP_REMOVED = "factor.totp-removed"
    PASSKEY_ADDED = "factor.passkey-added"
    PASSKEY_RENAMED = "factor.passkey-renamed"
    PASSKEY_REMOVED = "factor.passkey-removed"
    RECOVERY_CODES_MADE = "factor.recovery-codes-made"
    RECOVERY_CODE_USED = "factor.recovery-code-used"
    FACTORS_RESET = "factor.all-removed"
    API_KEY_CREATED = "api-key.created"
    API_KEY_ROTATED = "api-key.rotated"
    API_KEY_REVOKED = "api-key.revoked"
    ORGANIZATION_CREATED = "organization.created"
    ORGANIZATION_RENAMED = "organization.renamed"
    ORGANIZATION_DELETED = "organization.deleted"
    MEMBER_INVITED = "organization.member-invited"
    INVITATION_WITHDRAWN = "organization.invitation-withdrawn"
    INVITATION_DECLINED = "organization.invitation-declined"
    MEMBER_JOINED = "organization.member-joined"
    MEMBER_LEFT = "organization.member-left"
    MEMBER_REMOVED = "organization.member-removed"
    MEMBER_ROLE_CHANGED = "organization.role-changed"
    OWNERSHIP_TRANSFERRED = "organization.transferred"
    EXPORT_ASKED = "data.export-asked"
    EXPORT_DOWNLOADED = "data.export-downloaded"
    DELETION_ASKED = "data.deletion-asked"
    DELETION_CANCELLED = "data.deletion-cancelled"
    ERASED = "data.erased"
    IMPERSONATION_BEGAN = "support.impersonation-began"
    IMPERSONATION_ENDED = "support.impersonation-ended"
    SIGNING_KEY_ROTATED = "installation.signing-key-rotated"
    SECRETS_RESEALED = "installation.secrets-resealed"
    AUDIT_EXPORTED = "installation.audit-exported"
