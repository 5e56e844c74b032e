"""The folder the server keeps its data in: made in one piece, checked for its version, given its settings."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from sample_agent.core.lifeline import die_with_parent
from sample_agent.core.postgres.account import Account
from sample_agent.core.postgres.binaries import Binaries
from sample_agent.core.postgres.errors import StartError, VersionMismatchError
from sample_agent.core.postgres.leftovers import end_leftovers
from sample_agent.core.postgres.roles import SUPERUSER

SETTINGS_FILE = "server.conf"
_DRAFT = ".cluster-draft-"
_SMALL_SHM_BYTES = 256 * 2**20
_LOCALE = "C.UTF-8" if sys.platform == "linux" else "en_US.UTF-8"


def server_environment() -> dict[str, str]:
    """What the server's programs see of our environment: no PG* variable, no secret."""
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "TMPDIR") if name in os.environ}
    return {**kept, "LC_ALL": _LOCALE, "TZ": "UTC"}


def create_cluster(binaries: Binaries, cluster: Path, account: Account, password: str) -> None:
    """Run initdb beside `cluster` and rename when it is whole: a kill in the middle leaves nothing half-made."""
    for draft in cluster.parent.glob(f"{_DRAFT}*"):
        end_leftovers(draft / "data")
        shutil.rmtree(draft)
    draft = Path(tempfile.mkdtemp(prefix=_DRAFT, dir=cluster.parent))
    password_file = draft / "password"
    data = draft / "data"
    password_file.write_text(password)
    for path in (draft, password_file):
        account.own(path)
    password_file.chmod(0o600)
    try:
        _initdb(binaries, data, account, password_file)
        with (data / "postgresql.conf").open("a") as file:
            file.write(f"\ninclude_if_exists = '../{SETTINGS_FILE}'\n")
            file.flush()
            os.fsync(file.fileno())
        data.rename(cluster)
        _sync_folder(cluster.parent)
    finally:
        shutil.rmtree(draft)


def _initdb(binaries: Binaries, data: Path, account: Account, password_file: Path) -> None:
    # The builtin locale provider sorts the same on every machine and after every upgrade of the C library.
    builtin = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] if int(binaries.major) >= 17 else []
    initdb = subprocess.run(
        [
            binaries.program("initdb"),
            *("-D", str(data), "-U", SUPERUSER, "--encoding=UTF8", f"--locale={_LOCALE}", *builtin),
            *("--auth-local=scram-sha-256", "--auth-host=scram-sha-256", f"--pwfile={password_file}"),
            *("--data-checksums", "--no-instructions"),
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd="/",
        env=server_environment(),
        start_new_session=True,
        preexec_fn=die_with_parent(signal.SIGKILL),
        check=False,
        **account.popen_options(),
    )
    if initdb.returncode:
        raise StartError(f"initdb failed in {data.parent.parent}", initdb.stdout)


def check_version(cluster: Path, binaries: Binaries) -> None:
    """Raise VersionMismatchError when another major version wrote `cluster`."""
    found = (cluster / "PG_VERSION").read_text().strip()
    if found != binaries.major:
        raise VersionMismatchError(cluster, found, binaries.major)


def reset_superuser_password(binaries: Binaries, cluster: Path, account: Account, password: str) -> None:
    """Give the superuser a new password without the old one, in single-user mode, when the password file was lost."""
    single = subprocess.run(
        [binaries.program("postgres"), "--single", "-D", cluster, "-c", "logging_collector=off", "postgres"],
        input=f"ALTER ROLE {SUPERUSER} PASSWORD '{password}'\n",
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        cwd="/",
        env=server_environment(),
        start_new_session=True,
        preexec_fn=die_with_parent(signal.SIGKILL),
        check=False,
        **account.popen_options(),
    )
    if single.returncode or "ERROR:" in single.stderr:
        raise StartError("the lost password of the database could not be replaced", single.stderr)


def write_settings(path: Path, log_dir: Path, overrides: Mapping[str, str]) -> None:
    """Write the settings that come with this version; `ALTER SYSTEM` still wins over them."""
    settings = {
        "shared_buffers": "128MB",
        "max_connections": "100",
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "password_encryption": "scram-sha-256",
        "dynamic_shared_memory_type": "mmap" if _shared_memory_is_small() else "posix",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "logging_collector": "on",
        "log_directory": str(log_dir),
        "log_filename": "server-%a.log",  # one file a weekday, overwritten a week later
        "log_truncate_on_rotation": "on",
        "log_rotation_age": "1d",
        "log_rotation_size": "0",
        "log_line_prefix": "%m [%p] %q%u@%d ",
        **overrides,
    }
    lines = (f"{name} = '{value.replace(chr(39), chr(39) * 2)}'\n" for name, value in settings.items())
    draft = path.with_name(f"{path.name}.draft")
    draft.write_text("# Written at every start. Change a setting with ALTER SYSTEM.\n" + "".join(lines))
    draft.chmod(0o644)
    draft.rename(path)


def _shared_memory_is_small() -> bool:
    if sys.platform != "linux":
        return False
    try:
        return shutil.disk_usage("/dev/shm").total < _SMALL_SHM_BYTES  # noqa: S108
    except OSError:
        return True


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
