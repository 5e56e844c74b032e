"""What goes over the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from sample_agent.accounts.email_address import NewEmail
from sample_agent.accounts.organizations.membership import Role


def _readable(name: str) -> str:
    """No control characters, line breaks, invisible marks or unassigned characters."""
    if not name.isprintable():
        raise ValueError("characters that cannot be seen are not allowed")
    return name


OrganizationName = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=100),
    AfterValidator(_readable),
    Field(description="what its members call it; need not be unique"),
]
GrantedRole = Annotated[
    Literal["admin", "member"],
    Field(description="`admin` invites and removes members; `member` takes part. The owner's role is transferred"),
]
InvitationToken = Annotated[str, Field(min_length=1, max_length=512, description="from the link in the mail")]
OwnRole = Annotated[Role, Field(description="what you are in it")]


class _Answer(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class OrganizationNaming(BaseModel):
    name: OrganizationName


class OrganizationDeletion(BaseModel):
    name: Annotated[
        str, Field(max_length=100, description="the organization's name exactly as it is written, to confirm")
    ]


class OrganizationTransfer(BaseModel):
    user_id: Annotated[UUID, Field(description="the member who becomes the owner; you become an administrator")]


class RoleChange(BaseModel):
    role: GrantedRole


class NewInvitation(BaseModel):
    email: Annotated[NewEmail, Field(description="the address that is invited; an account with it may not exist yet")]
    role: GrantedRole = "member"


class InvitationLink(BaseModel):
    token: InvitationToken


class OrganizationAnswer(_Answer):
    id: UUID
    name: str
    role: OwnRole
    members: Annotated[int, Field(description="how many belong to it, the owner included")]
    created_at: datetime


class OrganizationList(_Answer):
    organizations: list[OrganizationAnswer]


class MemberAnswer(_Answer):
    user_id: UUID
    email: str
    first_name: str
    last_name: str
    avatar_url: str | None
    role: Role
    joined_at: datetime


class MemberList(_Answer):
    members: Annotated[list[MemberAnswer], Field(description="the owner first, then administrators, then members")]


class InvitationAnswer(_Answer):
    id: UUID
    email: str
    role: Role
    invited_by: Annotated[str, Field(description="the address of whoever invited")]
    created_at: datetime
    expires_at: datetime


class InvitationList(_Answer):
    invitations: Annotated[list[InvitationAnswer], Field(description="those that wait for an answer, newest first")]


class ReceivedInvitation(_Answer):
    id: UUID
    organization: Annotated[str, Field(description="the name of the organization that invites you")]
    role: Annotated[Role, Field(description="what you would be in it")]
    invited_by: Annotated[str, Field(description="the address of whoever invited you")]
    created_at: datetime
    expires_at: datetime


class ReceivedInvitationList(_Answer):
    invitations: Annotated[list[ReceivedInvitation], Field(description="those that wait for your answer, newest first")]


class InvitationPreview(_Answer):
    organization: Annotated[str, Field(description="the name of the organization that invites")]
    role: Annotated[Role, Field(description="what whoever accepts would be in it")]


class JoinedOrganization(_Answer):
    id: Annotated[UUID, Field(description="the organization's")]
    name: str
    role: OwnRole


class ActivityName(_Answer):
    kind: Annotated[
        str,
        Field(description="of who acts: `user`, `api-key`, `admin`, `operator`, `system`; else `user`, `invitation`"),
    ]
    id: UUID | None
    email: Annotated[
        str | None,
        Field(
            description="of who acts: their address while they are a member; else the address at the time. "
            "Null when it is not known, or was erased"
        ),
    ]


class OrganizationActivityEntry(_Answer):
    id: UUID
    at: datetime
    action: Annotated[str, Field(description="what happened, as `organization.member-joined`")]
    actor: Annotated[ActivityName, Field(description="who did it")]
    subject: Annotated[ActivityName | None, Field(description="whom or what it was done to, if not the organization")]
    detail: dict[str, Any]


class OrganizationActivity(_Answer):
    entries: Annotated[list[OrganizationActivityEntry], Field(description="newest first")]
    next_cursor: Annotated[str | None, Field(description="`cursor` of the page after this one; null on the last")]
