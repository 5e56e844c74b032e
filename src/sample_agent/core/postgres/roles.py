"""The three roles, the database and its extensions, made the same way at every start."""

from __future__ import annotations

import os
import secrets
import subprocess
from collections.abc import Mapping
from pathlib import Path

from sample_agent.core.postgres.binaries import Binaries
from sample_agent.core.postgres.errors import PostgresError

SUPERUSER = "postgres"
DATABASE = "sample_agent"
OWNER = "sample_agent_owner"
APP = "sample_agent_app"
BACKUP = "sample_agent_backup"
EXTENSIONS = ("pg_trgm", "unaccent", "citext", "vector")

_ORDINARY = "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION"
_ATTRIBUTES = {
    OWNER: f"{_ORDINARY} NOBYPASSRLS",
    APP: f"{_ORDINARY} NOBYPASSRLS",
    BACKUP: f"{_ORDINARY} BYPASSRLS",
}


def read_or_create_passwords(path: Path) -> dict[str, str]:
    """The password of each role, kept in `path` (mode 0600) in the format psql reads as PGPASSFILE."""
    if path.exists():
        entries = [line.split(":") for line in path.read_text().splitlines() if not line.startswith("#")]
        return {entry[3]: entry[4] for entry in entries if len(entry) == 5}
    passwords = {role: secrets.token_urlsafe(32) for role in (SUPERUSER, OWNER, APP, BACKUP)}
    draft = path.with_name(f"{path.name}.draft")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write("".join(f"127.0.0.1:*:*:{role}:{password}\n" for role, password in passwords.items()))
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
    return passwords


def prepare_database(binaries: Binaries, port: int, passwords: Mapping[str, str]) -> None:
    """Create what is missing and set what differs. Raises PostgresError with psql's words when the server refuses."""
    psql = subprocess.run(
        [binaries.program("psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", "-"],
        input=_script(passwords),
        text=True,
        capture_output=True,
        env={
            **{name: value for name, value in os.environ.items() if not name.startswith("PG")},
            "PGHOST": "127.0.0.1",
            "PGPORT": str(port),
            "PGUSER": SUPERUSER,
            "PGDATABASE": "postgres",
            "PGPASSWORD": passwords[SUPERUSER],
            "PGOPTIONS": "-c client_min_messages=warning",
        },
        check=False,
    )
    if psql.returncode:
        raise PostgresError(f"the database could not be prepared with {binaries.folder}:\n{psql.stderr.strip()}")


# The only values put into the script are constants of this file and passwords of our own making.
def _script(passwords: Mapping[str, str]) -> str:
    roles = "".join(
        f"SELECT 'CREATE ROLE {role}' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') \\gexec\n"  # noqa: S608
        f"ALTER ROLE {role} {attributes} PASSWORD '{passwords[role]}';\n"
        for role, attributes in _ATTRIBUTES.items()
    )
    extensions = "".join(f"CREATE EXTENSION IF NOT EXISTS {name};\n" for name in EXTENSIONS)
    return f"""{roles}
GRANT pg_read_all_data TO {BACKUP};
ALTER ROLE {BACKUP} SET default_transaction_read_only = on;
SELECT 'CREATE DATABASE {DATABASE} OWNER {OWNER}'
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{DATABASE}') \\gexec
ALTER DATABASE {DATABASE} OWNER TO {OWNER};
REVOKE ALL ON DATABASE {DATABASE} FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE {DATABASE} TO {APP};
GRANT CONNECT ON DATABASE {DATABASE} TO {BACKUP};
\\connect {DATABASE}
ALTER SCHEMA public OWNER TO {OWNER};
GRANT USAGE ON SCHEMA public TO {APP}, {BACKUP};
{extensions}"""  # noqa: S608
