"""HTTP of invitations: those an organization makes, and those somebody receives."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter

from sample_agent.accounts.caller import CurrentUser, SignedIn
from sample_agent.accounts.client import OfClient
from sample_agent.accounts.identity import OfApp
from sample_agent.accounts.organizations import invitations as service
from sample_agent.accounts.organizations.membership import Role
from sample_agent.accounts.organizations.schemas import (
    InvitationAnswer,
    InvitationLink,
    InvitationList,
    InvitationPreview,
    JoinedOrganization,
    NewInvitation,
    ReceivedInvitationList,
)

invitations = APIRouter(tags=["organizations"])


@invitations.get("/api/organizations/{organization_id}/invitations")
async def list_invitations(organization_id: UUID, principal: CurrentUser, identity: OfApp) -> InvitationList:
    """The invitations of an organization that wait for an answer; for its owner and administrators."""
    found = await service.list_invitations(identity, principal.user_id, organization_id)
    return InvitationList.model_validate({"invitations": found})


@invitations.post("/api/organizations/{organization_id}/invitations", status_code=201)
async def invite_member(
    organization_id: UUID, body: NewInvitation, principal: SignedIn, client: OfClient, identity: OfApp
) -> InvitationAnswer:
    """Invite an address by mail, in place of an earlier invitation to it; for the owner and administrators."""
    made = await service.invite(identity, principal, client, organization_id, email=body.email, role=Role(body.role))
    return InvitationAnswer.model_validate(made)


@invitations.delete("/api/organizations/{organization_id}/invitations/{invitation_id}", status_code=204)
async def withdraw_invitation(
    organization_id: UUID, invitation_id: UUID, principal: CurrentUser, client: OfClient, identity: OfApp
) -> None:
    """Take an invitation back: its link works no longer; for the owner and administrators."""
    await service.withdraw(identity, principal, client, organization_id, invitation_id)


@invitations.get("/api/invitations")
async def list_received_invitations(principal: CurrentUser, identity: OfApp) -> ReceivedInvitationList:
    """The invitations to your address that wait for your answer."""
    found = await service.received(identity, principal.user_id)
    return ReceivedInvitationList.model_validate({"invitations": found})


@invitations.post("/api/invitations/preview")
async def preview_invitation(body: InvitationLink, identity: OfApp) -> InvitationPreview:
    """What an invitation asks for, shown before anybody signs in."""
    return InvitationPreview.model_validate(await service.preview(identity, token=body.token))


@invitations.post("/api/invitations/accept")
async def accept_invitation(
    body: InvitationLink, principal: SignedIn, client: OfClient, identity: OfApp
) -> JoinedOrganization:
    """Join by the link in the mail, signed in with the address it was sent to."""
    joined = await service.accept_by_token(identity, principal, client, token=body.token)
    return JoinedOrganization.model_validate(joined)


@invitations.post("/api/invitations/{invitation_id}/accept")
async def accept_received_invitation(
    invitation_id: UUID, principal: SignedIn, client: OfClient, identity: OfApp
) -> JoinedOrganization:
    """Join by an invitation to your address."""
    return JoinedOrganization.model_validate(await service.accept(identity, principal, client, invitation_id))


@invitations.delete("/api/invitations/{invitation_id}", status_code=204)
async def decline_invitation(invitation_id: UUID, principal: SignedIn, client: OfClient, identity: OfApp) -> None:
    """Turn down an invitation to your address."""
    await service.decline(identity, principal, client, invitation_id)
