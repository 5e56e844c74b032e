"""`sample-agent audit …`, as an operator uses it: on the database of the settings, and on one of its own."""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from uuid import UUID

import orjson
import pytest
import pytest_asyncio
from sqlalchemy import text

from sample_agent.accounts.audit import SYSTEM, Action, record
from sample_agent.core.database import Database
from sample_agent.core.identifiers import new_id

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(app_url: str, tmp_path: Path) -> Run:
    """Runs a command on the shared database, of which other tests have damaged a chain or two."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return sample_agent("audit", *arguments, folder=tmp_path, DATABASE_URL=app_url)

    return run


def sample_agent(
    *arguments: str, folder: Path, given: str = "", **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from sample_agent.cli import main; main()", *arguments, "--data-dir", str(folder)],
        input=given,
        capture_output=True,
        text=True,
        env={"PATH": os.environ["PATH"], **environment},
        timeout=120,
        cwd=folder,
        check=False,
    )


@pytest_asyncio.fixture
async def owner(owner_url: str) -> AsyncIterator[Database]:
    database = Database(owner_url, pool_size=1)
    yield database
    await database.close()


@pytest_asyncio.fixture
async def tenant(database: Database) -> UUID:
    """Somebody with three entries in their log."""
    tenant = new_id()
    for number in range(3):
        async with database.transaction(purpose="identity") as db:
            await record(db, Action.SIGNED_IN, tenant_id=tenant, actor=SYSTEM, detail={"number": number})
    return tenant


async def test_damage_is_said_what_and_where_with_exit_code_one(run: Run, owner: Database, tenant: UUID) -> None:
    intact = run("verify", "--tenant", str(tenant))
    assert (intact.returncode, intact.stdout) == (0, "3 entries in 1 chains are as they were written.\n")
    async with owner.transaction(purpose="identity") as db:
        change = "update audit_entries set action = 'session.ended' where tenant_id = :t and position = 2"
        await db.execute(text(change), {"t": tenant})
    damaged = run("verify", "--tenant", str(tenant))
    assert damaged.returncode == 1
    assert f"{tenant}, entry 2" in damaged.stderr
    assert "changed" in damaged.stderr
    assert "Traceback" not in damaged.stderr


async def test_anchors_find_a_chain_that_was_cut_off_and_are_kept_then(
    run: Run, owner: Database, tenant: UUID, tmp_path: Path
) -> None:
    anchors = tmp_path / "anchors.jsonl"
    assert run("verify", "--tenant", str(tenant), "--anchors", str(anchors)).returncode == 0
    noted = anchors.read_text()
    assert orjson.loads(noted)["position"] == 3
    async with owner.transaction(purpose="identity") as db:
        last = "(select id from audit_entries where tenant_id = :t and position = 3)"
        await db.execute(text(f"delete from audit_contexts where entry_id = {last}"), {"t": tenant})
        await db.execute(text("delete from audit_entries where tenant_id = :t and position = 3"), {"t": tenant})
    assert run("verify", "--tenant", str(tenant)).returncode == 0
    damaged = run("verify", "--tenant", str(tenant), "--anchors", str(anchors))
    assert damaged.returncode == 1
    assert "cut off" in damaged.stderr
    assert anchors.read_text() == noted


def test_a_file_of_something_else_is_not_taken_for_anchors(run: Run, tmp_path: Path) -> None:
    anchors = tmp_path / "notes.txt"
    anchors.write_text("remember the milk\n")
    done = run("verify", "--anchors", str(anchors))
    assert done.returncode == 1
    assert "not the head of a chain" in done.stderr
    assert anchors.read_text() == "remember the milk\n"
    assert "Traceback" not in done.stderr


def test_the_log_is_written_to_stdout(run: Run, tenant: UUID) -> None:
    as_csv = run("export", "--tenant", str(tenant), "--action", "session.")
    assert as_csv.returncode == 0, as_csv.stderr
    assert [row["position"] for row in csv.DictReader(io.StringIO(as_csv.stdout))] == ["1", "2", "3"]
    as_json = run("export", "--tenant", str(tenant), "--format", "json", "--since", "2020-01-01")
    assert [orjson.loads(line)["detail"]["number"] for line in as_json.stdout.splitlines()] == [0, 1, 2]
    assert run("export", "--tenant", str(tenant), "--format", "json", "--until", "2020-01-01").stdout == ""


@pytest.mark.parametrize("wrong", [("--format", "xml"), ("--action", "everything")])
def test_what_cannot_be_exported_is_said(run: Run, wrong: tuple[str, str]) -> None:
    done = run("export", *wrong)
    assert done.returncode == 1
    assert wrong[1] in done.stderr
    assert "Traceback" not in done.stderr


def test_an_installation_with_a_database_of_its_own_is_verified_whole(reachable_tmp: Path) -> None:
    folder = reachable_tmp / "audited"
    folder.mkdir()
    made = sample_agent(
        "user", "create", "ann@example.com", "--password-stdin", folder=folder, given="four bars of nothing\n"
    )
    assert made.returncode == 0, made.stderr
    anchors = folder / "anchors.jsonl"
    for _ in range(2):
        done = sample_agent("audit", "verify", "--anchors", str(anchors), folder=folder)
        assert done.returncode == 0, done.stderr
        assert "1 entries in 1 chains" in done.stdout
    assert len(anchors.read_text().splitlines()) == 1
