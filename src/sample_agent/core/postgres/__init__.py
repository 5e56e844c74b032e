"""A PostgreSQL server of our own, in the data folder, for whoever has none: started, watched and ended by us.

    with EmbeddedPostgres(data_dir) as server:
        connect(server.address.app_url)

Needs the standard library and PostgreSQL's programs only.
"""

from sample_agent.core.postgres.errors import (
    AlreadyRunningError,
    FolderOwnerError,
    NoBinariesError,
    PostgresError,
    StartError,
    UnreachableFolderError,
    VersionMismatchError,
)
from sample_agent.core.postgres.server import EmbeddedPostgres, ServerAddress, running_server

__all__ = [
    "AlreadyRunningError",
    "EmbeddedPostgres",
    "FolderOwnerError",
    "NoBinariesError",
    "PostgresError",
    "ServerAddress",
    "StartError",
    "UnreachableFolderError",
    "VersionMismatchError",
    "running_server",
]
