"""Every route of the library."""

from fastapi import APIRouter

from sample_agent.library import collection_routes, job_routes, reanalysis_routes, routes

router = APIRouter()
for _part in (routes, collection_routes, job_routes, reanalysis_routes):
    router.include_router(_part.router)
