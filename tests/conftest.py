"""What every test stands on: one real PostgreSQL, an empty database for every file, fresh people for every test."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from asgi_lifespan import LifespanManager
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from fastapi import FastAPI

from sample_agent.accounts import create_user
from sample_agent.accounts.passwords import Passwords
from sample_agent.apps.everything import create_everything
from sample_agent.apps.migrate import migrate
from sample_agent.core.database import Database
from sample_agent.core.logs import configure_logs
from sample_agent.core.postgres import EmbeddedPostgres, ServerAddress
from sample_agent.core.postgres.server import free_port
from sample_agent.core.settings import PlanId, Settings
from tests.databases import Databases
from tests.people import PASSWORD, Person, new_email
from tests.serving import working

# Programs that these tests start and stop inherit what is ignored here; a test run in the background ignores Ctrl-C.
for _number, _default in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, _default)

PASSWORDS = Passwords(concurrency=2)
WITHOUT_LIMITS = {
    "auth_requests_per_quarter_hour": 0,
    "sign_in_failures_per_quarter_hour": 0,
    "sign_in_failures_per_hour": 0,
    "mails_per_hour": 0,
}
"""Settings under which one address may do as much as a test run does; what limits do has tests of its own."""

SignUp = Callable[..., Awaitable[Person]]

pytest_plugins = ["tests.several_cores"]


def pytest_collection_finish() -> None:
    """Let the garbage collector pass over what all the modules have made, which stays: most of what there is."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def reachable_tmp() -> Iterator[Path]:
    """A temporary folder that an unprivileged server process can enter, too."""
    folder = Path(tempfile.mkdtemp(prefix="sample-agent-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def databases(reachable_tmp: Path) -> Iterator[Databases]:
    """An embedded server that makes databases. Durability is off: this server's data is thrown away."""
    fast = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
    with EmbeddedPostgres(reachable_tmp / "shared", settings=fast) as server:
        asyncio.run(migrate(server.address.owner_url))
        yield Databases(server.address)


@pytest.fixture(scope="module")
def postgres(databases: Databases) -> Iterator[ServerAddress]:
    """A migrated database for the tests of a file: what other files leave behind is not in it."""
    with databases.empty() as address:
        yield address


@pytest.fixture(scope="module")
def app_url(postgres: ServerAddress) -> str:
    return postgres.app_url


@pytest.fixture(scope="module")
def owner_url(postgres: ServerAddress) -> str:
    return postgres.owner_url


@pytest.fixture(scope="session")
def jwt_private_key() -> str:
    """A signing key made once; making one takes longer than most tests."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=3072)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.fixture(scope="session", autouse=True)
def _logs() -> None:
    configure_logs("json", "warning")


@pytest.fixture
def settings(app_url: str, owner_url: str, jwt_private_key: str, tmp_path: Path) -> Settings:
    """Settings of a development installation of its own, on the database of the file."""
    return Settings(
        _env_file=None,
        environment="development",
        data_dir=tmp_path,
        database_url=app_url,
        database_owner_url=owner_url,
        database_pool_size=5,
        jwt_private_key=jwt_private_key,
        password_hash_passes=2,
        worker_processes=1,
        worker_port=free_port(),
        job_heartbeat_seconds=2,
        log_format="json",
        **WITHOUT_LIMITS,
    )


@pytest_asyncio.fixture
async def database(app_url: str) -> AsyncIterator[Database]:
    """The database of the file, connected as the application's role."""
    database = Database(app_url, pool_size=10)
    yield database
    await database.close()


@pytest_asyncio.fixture
async def app(settings: Settings) -> AsyncIterator[FastAPI]:
    """The whole application, running."""
    app = create_everything(settings)
    async with LifespanManager(app):
        yield app


@pytest_asyncio.fixture
async def sign_up(app: FastAPI) -> AsyncIterator[SignUp]:
    """Makes people who are signed in."""
    async with contextlib.AsyncExitStack() as stack:

        async def person(plan: PlanId | None = None, *, admin: bool = False) -> Person:
            email = new_email()
            database = app.state.database
            await create_user(database, PASSWORDS, email=email, password=PASSWORD, plan=plan, is_admin=admin)
            http = await stack.enter_async_context(
                httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost:8000", timeout=30)
            )
            response = await http.post("/api/auth/login", json={"email": email, "password": PASSWORD})
            response.raise_for_status()
            http.headers["Authorization"] = f"Bearer {response.json()['token']}"
            return Person(email, http)

        yield person


@pytest_asyncio.fixture
async def alice(sign_up: SignUp) -> Person:
    return await sign_up()


@pytest_asyncio.fixture
async def bob(sign_up: SignUp) -> Person:
    return await sign_up()


@pytest_asyncio.fixture
async def worker(app: FastAPI, settings: Settings) -> AsyncIterator[None]:
    """A worker beside the application."""
    async with working(settings):
        yield
