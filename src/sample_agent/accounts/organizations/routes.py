"""HTTP of organizations and their members."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response

from sample_agent.accounts.caller import CurrentUser, FreshlySignedIn, SignedIn
from sample_agent.accounts.client import OfClient
from sample_agent.accounts.identity import OfApp
from sample_agent.accounts.organizations import activity, members, service
from sample_agent.accounts.organizations.invitation_routes import invitations
from sample_agent.accounts.organizations.membership import Role
from sample_agent.accounts.organizations.schemas import (
    MemberAnswer,
    MemberList,
    OrganizationActivity,
    OrganizationAnswer,
    OrganizationDeletion,
    OrganizationList,
    OrganizationNaming,
    OrganizationTransfer,
    RoleChange,
)

organizations = APIRouter(tags=["organizations"])


@organizations.get("/api/organizations")
async def list_organizations(principal: CurrentUser, identity: OfApp) -> OrganizationList:
    """The organizations you belong to, by name."""
    return OrganizationList.model_validate({"organizations": await service.of_person(identity, principal.user_id)})


@organizations.post("/api/organizations", status_code=201)
async def create_organization(
    body: OrganizationNaming, principal: CurrentUser, client: OfClient, identity: OfApp
) -> OrganizationAnswer:
    """Make an organization that you own."""
    return OrganizationAnswer.model_validate(await service.create(identity, principal, client, name=body.name))


@organizations.get("/api/organizations/{organization_id}")
async def get_organization(organization_id: UUID, principal: CurrentUser, identity: OfApp) -> OrganizationAnswer:
    """One organization you belong to."""
    return OrganizationAnswer.model_validate(await service.show(identity, principal.user_id, organization_id))


@organizations.patch("/api/organizations/{organization_id}")
async def rename_organization(
    organization_id: UUID, body: OrganizationNaming, principal: CurrentUser, client: OfClient, identity: OfApp
) -> OrganizationAnswer:
    """Give an organization another name; for its owner and administrators."""
    seen = await service.rename(identity, principal, client, organization_id, name=body.name)
    return OrganizationAnswer.model_validate(seen)


@organizations.delete("/api/organizations/{organization_id}", status_code=204)
async def delete_organization(
    organization_id: UUID, body: OrganizationDeletion, principal: FreshlySignedIn, client: OfClient, identity: OfApp
) -> None:
    """Delete an organization for good, confirmed by its name; for its owner, who has just proved who they are."""
    await service.delete_organization(identity, principal, client, organization_id, typed_name=body.name)


@organizations.post("/api/organizations/{organization_id}/transfer")
async def transfer_organization(
    organization_id: UUID, body: OrganizationTransfer, principal: FreshlySignedIn, client: OfClient, identity: OfApp
) -> OrganizationAnswer:
    """Make another member the owner; for the owner, who has just proved who they are."""
    seen = await service.transfer(identity, principal, client, organization_id, to=body.user_id)
    return OrganizationAnswer.model_validate(seen)


@organizations.get("/api/organizations/{organization_id}/members")
async def list_members(organization_id: UUID, principal: CurrentUser, identity: OfApp) -> MemberList:
    """Everybody who belongs to an organization; for its members."""
    found = await members.list_members(identity, principal.user_id, organization_id)
    return MemberList.model_validate({"members": found})


@organizations.patch("/api/organizations/{organization_id}/members/{member_id}")
async def change_member_role(
    organization_id: UUID,
    member_id: UUID,
    body: RoleChange,
    principal: SignedIn,
    client: OfClient,
    identity: OfApp,
) -> MemberAnswer:
    """Make a member an administrator or the other way round; administrators may only raise, everybody may step down."""
    changed = await members.change_role(identity, principal, client, organization_id, member_id, role=Role(body.role))
    return MemberAnswer.model_validate(changed)


@organizations.delete("/api/organizations/{organization_id}/members/{member_id}", status_code=204)
async def remove_member(
    organization_id: UUID, member_id: UUID, principal: SignedIn, client: OfClient, identity: OfApp
) -> None:
    """Remove somebody below you from an organization, or leave it yourself."""
    await members.remove_member(identity, principal, client, organization_id, member_id)


@organizations.get("/api/organizations/{organization_id}/activity")
async def list_organization_activity(
    organization_id: UUID,
    principal: CurrentUser,
    identity: OfApp,
    cursor: Annotated[
        str | None, Query(pattern="^[0-9]{1,18}$", description="`next_cursor` of the page before")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> OrganizationActivity:
    """What happened in an organization, newest first; for its owner and administrators."""
    page = await activity.happened(
        identity,
        principal.user_id,
        organization_id,
        before=None if cursor is None else int(cursor),
        limit=limit,
    )
    return OrganizationActivity.model_validate(page)


def _private(response: Response) -> None:
    response.headers["Cache-Control"] = "no-store"


router = APIRouter(dependencies=[Depends(_private)])
for part in (organizations, invitations):
    router.include_router(part)
