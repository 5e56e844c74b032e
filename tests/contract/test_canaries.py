"""Secrets that can be recognised are sent through a running installation, and looked for where they must not be.

What is searched: everything the programs and commands print at the finest level, every version of every row that was
ever written (a trigger notes them, so that no queued task is gone too soon), the files of the database and of the
storage, the copies and exports people and operators take, the body of every refusal, and the mails, which may hold the
links they are for and no other secret.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import io
import json
import os
import subprocess
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from time import time
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import asyncpg
import httpx
import pyotp
import pytest

from sample_agent.core.mail import read_outbox
from sample_agent.core.postgres import ServerAddress, running_server
from sample_agent.core.postgres.server import free_port
from tests.journeys.programs import COMMAND, Program
from tests.people import new_email
from tests.sounds import tone, wav
from tests.waiting import until

BEARERS = {"access token", "refresh token", "API key"}
PAGES = ("verify-email", "reset-password", "confirm-email", "undo-email-change", "keep-account", "invitation")
"""Where mailed links lead."""
FORGED = '{"event": "forged", "level": "error"}'
WITNESS = """
create schema witness;
create table witness.versions (origin text, version text);
create function witness.note() returns trigger language plpgsql security definer as $$
begin
  insert into witness.versions values (tg_table_name, new::text);
  return null;
end $$;
do $$
declare each text;
begin
  for each in select quote_ident(tablename) from pg_tables where schemaname = 'public' loop
    execute 'create trigger zz_witness after insert or update on ' || each
      || ' for each row execute function witness.note()';
  end loop;
end $$;
"""


@dataclass
class Canaries:
    """The secrets there are, by what they are, and the places that were searched."""

    planted: list[tuple[str, str]] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    printed: list[str] = field(default_factory=list)
    taken: dict[str, str] = field(default_factory=dict)
    """What people and operators took with them, as text."""

    def plant(self, kind: str, secret: str) -> str:
        if (kind, secret) not in self.planted:
            self.planted.append((kind, secret))
        return secret

    def kinds(self) -> set[str]:
        return {kind for kind, _ in self.planted}

    def found_in(self, text: str, *, but: frozenset[str] = frozenset()) -> list[str]:
        """The kinds of secrets that stand in a text in any spelling, except for those that belong there."""
        return sorted(
            {kind for kind, secret in self.planted if kind not in but and any(s in text for s in spellings(secret))}
        )


def spellings(secret: str) -> Iterator[str]:
    """A secret as it is, and as it would be written in hexadecimal and in Base64, wherever in a text it begins."""
    raw = secret.encode()
    yield secret
    yield raw.hex()
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + raw).decode().rstrip("=")
        yield encoded[(before * 8 + 5) // 6 : -1]


@dataclass
class Visitor:
    """Somebody at a program of theirs; what they are given to keep is planted, what refuses them is kept."""

    canaries: Canaries
    outbox: Path
    http: httpx.Client
    email: str
    password: str = ""
    token: str = ""
    refresh_token: str = ""

    def send(self, method: str, path: str, body: Any = None, *, bearer: str | None = None) -> httpx.Response:
        token = self.token if bearer is None else bearer
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        answer = self.http.request(method, path, json=body, headers=headers)
        assert answer.status_code < 500, answer.text
        if answer.status_code >= 400:
            self.canaries.refusals.append(f"{answer.headers} {answer.text}")
        for name, value in self.http.cookies.items():
            self.canaries.plant(f"cookie {name}", value)
        return answer

    def get(self, path: str) -> Any:
        return self._given(self.send("GET", path))

    def post(self, path: str, body: Any = None) -> Any:
        return self._given(self.send("POST", path, body))

    def refused(self, method: str, path: str, body: Any = None, *, bearer: str | None = None) -> Any:
        answer = self.send(method, path, body, bearer=bearer)
        assert answer.status_code >= 400, f"{path}: {answer.text}"
        return answer.json()

    def chooses(self, password: str) -> str:
        self.password = self.canaries.plant("password", password)
        return password

    def signed_in(self, answer: dict[str, Any]) -> None:
        self.token, self.refresh_token = answer["token"], answer.get("refresh_token", "")
        for part in self.token.split(".")[1:]:
            self.canaries.plant("access token", part)
        if self.refresh_token:
            self.canaries.plant("refresh token", self.refresh_token)

    def signs_in(self, **second_factor: str) -> None:
        body = {"email": self.email, "password": self.password, "mode": "body"}
        answer = self.send("POST", "/api/auth/login", body)
        if answer.status_code == 403:
            challenge = self.canaries.plant("challenge", answer.json()["challenge"])
            answer = self.send(
                "POST", "/api/auth/login/second-factor", {"challenge": challenge, "mode": "body", **second_factor}
            )
        self.signed_in(self._given(answer))

    def mailed_token(self, page: str) -> str:
        """The token of a mailed link to a page of the web app that came since the last one; waits for it."""

        def new() -> list[str]:
            words = [word for mail in read_outbox(self.outbox) if mail.to == self.email for word in mail.text.split()]
            links = [urlsplit(word) for word in words if f"/{page}?token=" in word]
            tokens = [parse_qs(link.query)["token"][0] for link in links]
            return [token for token in tokens if token not in {secret for _, secret in self.canaries.planted}]

        return self.canaries.plant(f"link: {page}", until(new, 60)[0])

    @staticmethod
    def _given(answer: httpx.Response) -> Any:
        assert answer.is_success, f"{answer.request.url.path}: {answer.text}"
        return answer.json() if answer.content else None


@dataclass
class Running:
    """An installation under one command, watched."""

    canaries: Canaries
    folder: Path
    url: str
    environment: dict[str, str]
    program: Program

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def database(self) -> ServerAddress:
        return running_server(self.data)

    @contextmanager
    def visitor(self) -> Iterator[Visitor]:
        with httpx.Client(base_url=self.url, timeout=30) as http:
            yield Visitor(self.canaries, self.data / "outbox", http, new_email())

    def command(self, *arguments: str, typed: str = "") -> str:
        done = subprocess.run(
            [COMMAND, *arguments],
            cwd=self.folder,
            env=self.environment,
            input=typed,
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        self.canaries.printed.append(done.stdout + done.stderr)
        return done.stdout


@contextmanager
def watched(folder: Path) -> Iterator[Running]:
    """`sample-agent serve` with everything it logs at the finest level, and a note of every row it writes."""
    port = free_port()
    own = {
        "DATA_DIR": str(folder / "data"),
        "PORT": str(port),
        "WORKER_PORT": str(free_port()),
        "LOG_LEVEL": "debug",
        "LOG_FORMAT": "json",
        "AUTH_REQUESTS_PER_QUARTER_HOUR": "0",
        "MAILS_PER_HOUR": "0",
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SAMPLE_", "DATABASE_", "JWT_"))}
    environment = kept | {f"SAMPLE_AGENT_{name}": value for name, value in own.items()}
    program = Program("serve", ["serve"], environment, folder)
    try:
        program.until_ready(f"http://127.0.0.1:{port}/readyz")
        program.until_ready(f"http://127.0.0.1:{own['WORKER_PORT']}/readyz")
        running = Running(Canaries(), folder, f"http://localhost:{port}", environment, program)
        asyncio.run(_execute(running.database.owner_url, WITNESS))
        yield running
    finally:
        if program.process.poll() is None:
            program.stop()


@dataclass(frozen=True)
class Walk:
    """What was left behind when people, an administrator and an operator had done everything there is to do."""

    canaries: Canaries
    accounts_at_first: int
    maker: str
    chief: str
    rows: dict[str, str]
    mails: str
    files: dict[str, str]
    log: list[str]
    """The lines `serve` printed."""

    def events(self, **fields: Any) -> list[dict[str, Any]]:
        """What was logged with all of these."""
        events = [json.loads(line) for line in self.log if line.startswith("{")]
        return [each for each in events if fields.items() <= each.items()]


@pytest.fixture(scope="module")
def walk(reachable_tmp: Path) -> Walk:
    folder = reachable_tmp / "canaries"
    folder.mkdir()
    folder.chmod(0o755)
    with watched(folder) as running:
        canaries = running.canaries
        accounts_at_first = asyncio.run(_count_accounts(running.database))
        with running.visitor() as maker, running.visitor() as friend, running.visitor() as chief:
            signing_up_and_in(maker)
            new_passwords_and_addresses(maker)
            second_factors(maker)
            keys_for_programs(maker)
            a_team(maker, friend)
            sounds_and_copies(maker)
            leaving_and_staying(maker)
            chief_id = administration(running, chief, friend)
            commands(running, friend)
            attacks(running, maker.email)
            _plant_the_installations_own(running)
            rows = asyncio.run(_rows(running.database))
            mails = "\n".join(mail.text + mail.html for mail in read_outbox(running.data / "outbox"))
        running.program.stop()
        printed = running.program.printed()
        canaries.printed.append(printed)
    files = _files(running.data, but={"keys", "outbox"})
    return Walk(canaries, accounts_at_first, maker.email, chief_id, rows, mails, files, printed.splitlines())


def test_no_secret_is_found_where_it_must_not_be(walk: Walk) -> None:
    canaries = walk.canaries
    assert canaries.kinds() >= BEARERS | {"password", "TOTP seed", "recovery code", "signing key"}
    assert canaries.kinds() >= {f"link: {page}" for page in PAGES}
    assert [kind for kind in canaries.kinds() if kind.startswith("cookie")] != []
    assert walk.rows.keys() >= {"audit_entries", "audit_contexts", "pgqueuer", "mail_log", "sessions", "invitations"}
    assert walk.maker in walk.rows["users"]
    assert _hash_of(canaries, "link: invitation") in walk.rows["invitations"]
    assert len(walk.events(event="request")) > 80
    assert len(canaries.refusals) > 15
    assert walk.maker in canaries.taken["copy of one's data"]
    assert "api-key.created" in canaries.taken["audit log as csv"]

    for text in canaries.refusals:
        # The answer that asks for a second factor names the challenge to be answered.
        assert canaries.found_in(text, but=frozenset({"challenge"})) == [], text
    assert [canaries.found_in(text) for text in canaries.printed if canaries.found_in(text)] == []
    assert {origin: found for origin, text in walk.rows.items() if (found := canaries.found_in(text))} == {}
    assert {name: found for name, text in canaries.taken.items() if (found := canaries.found_in(text))} == {}
    assert {name: found for name, text in walk.files.items() if (found := canaries.found_in(text))} == {}
    links = frozenset(kind for kind in canaries.kinds() if kind.startswith("link:"))
    assert canaries.found_in(walk.mails, but=links) == []


def test_every_line_of_the_log_says_what_happened_where_and_when_in_utc(walk: Walk) -> None:
    events = walk.events()
    assert len(events) > 100
    for each in events:
        assert each["event"]
        assert each["level"] in {"debug", "info", "warning", "error"}
        assert each["logger"]
        assert datetime.fromisoformat(each["timestamp"]).utcoffset() == timedelta(0)
    for each in walk.events(event="request"):
        assert each.keys() >= {"request_id", "method", "path", "status", "milliseconds"}
    assert {each["event"] for each in events} >= {"signed in", "sign-in refused", "stepped up", "API key created"}


def test_whoever_is_refused_something_is_named_in_the_log(walk: Walk) -> None:
    (refused, *_) = walk.events(event="request", path="/api/admin/users", status=403)
    assert refused["user_id"] == walk.chief
    assert walk.events(event="request", path="/api/auth/me", status=401) != []
    assert walk.events(event="request", path="/api/auth/register", status=422) != []


def test_guessing_is_logged_when_it_is_stopped(walk: Walk) -> None:
    (stopped, *_) = walk.events(event="too many failed attempts", level="warning")
    (request,) = walk.events(event="request", request_id=stopped["request_id"])
    assert (request["path"], request["status"]) == ("/api/auth/login", 429)


def test_nobody_writes_a_line_of_their_own_into_the_log(walk: Walk) -> None:
    assert [line for line in walk.log if "forged" in line and not line.startswith("{")] == []
    assert {each["event"] for each in walk.events() if "forged" in str(each)} == {"request"}
    assert walk.events(path="/api/nothing\n" + FORGED) != []


def test_an_installation_begins_without_any_account(walk: Walk) -> None:
    assert walk.accounts_at_first == 0


def test_the_search_finds_a_secret_in_each_of_its_spellings() -> None:
    canaries = Canaries()
    canaries.plant("password", "canary-7e21-any")
    for before in ("", "x", "xy"):
        written = f"{before}canary-7e21-any, and more"
        for text in (written, written.encode().hex(), base64.b64encode(written.encode()).decode()):
            assert canaries.found_in(text) == ["password"]
    assert canaries.found_in("canary-7e21-other") == []


def signing_up_and_in(maker: Visitor) -> None:
    me = {"email": maker.email, "password": maker.chooses("canary-7e21 the first password")}
    maker.refused("POST", "/api/auth/register", {**me, "password": ["canary-7e21 the first password"]})
    maker.refused("POST", "/api/auth/register", {"email": maker.password, "password": maker.password})
    maker.post("/api/auth/register", me)
    maker.refused("POST", "/api/auth/login", me)
    token = maker.mailed_token("verify-email")
    typo = maker.canaries.plant("password", "canary-7e21 a mistyped password")
    maker.refused("POST", "/api/auth/verify-email", {"token": token, "password": typo})
    maker.post("/api/auth/resend-verification", {"email": maker.email})
    maker.signed_in(maker.post("/api/auth/verify-email", {"token": token, "password": maker.password, "mode": "body"}))
    maker.refused("POST", "/api/auth/verify-email", {"token": token, "password": maker.password})
    maker.refused("POST", "/api/auth/login", {**me, "password": typo})
    maker.post("/api/auth/login", me)  # into a cookie
    maker.signs_in()
    spent = maker.refresh_token
    maker.signed_in(maker.post("/api/auth/refresh", {"refresh_token": spent}))
    maker.refused("GET", "/api/auth/me", bearer=maker.token[:-4])
    maker.refused("GET", "/api/auth/me", bearer=maker.refresh_token)
    maker.refused("POST", "/api/auth/refresh", {"refresh_token": maker.token})
    maker.get("/api/auth/sessions")


def new_passwords_and_addresses(maker: Visitor) -> None:
    maker.post("/api/auth/forgot-password", {"email": maker.email})
    token = maker.mailed_token("reset-password")
    maker.refused("POST", "/api/auth/reset-password", {"token": token, "password": "short"})
    reset = {"token": token, "password": maker.chooses("canary-7e21 the second password")}
    maker.post("/api/auth/reset-password", reset)
    maker.refused("POST", "/api/auth/reset-password", reset)
    maker.signs_in()
    second = maker.password
    third = maker.chooses("canary-7e21 the third password")
    maker.refused("POST", "/api/account/password", {"current_password": third, "new_password": third})
    maker.post("/api/account/password", {"current_password": second, "new_password": third})
    old, new = maker.email, new_email()
    maker.refused("POST", "/api/account/email", {"email": new, "password": second})
    maker.post("/api/account/email", {"email": new, "password": third})
    maker.email = new
    maker.post("/api/auth/confirm-email", {"token": maker.mailed_token("confirm-email")})
    maker.email = old
    maker.post("/api/auth/undo-email-change", {"token": maker.mailed_token("undo-email-change")})
    again = {"token": maker.mailed_token("reset-password"), "password": maker.chooses("canary-7e21 the fourth")}
    maker.post("/api/auth/reset-password", again)
    maker.signs_in()


def second_factors(maker: Visitor) -> list[str]:
    """The recovery codes that are left."""
    begun = maker.post("/api/account/factors/totp")
    seed = maker.canaries.plant("TOTP seed", begun["secret"])
    maker.canaries.plant("TOTP seed", base64.b32decode(seed + "=" * (-len(seed) % 8)).hex())
    maker.refused("POST", "/api/account/factors/totp/confirm", {"code": "canary"})
    app = pyotp.TOTP(seed)
    codes = maker.post("/api/account/factors/totp/confirm", {"code": app.now()})["recovery_codes"]
    _plant_codes(maker, codes)
    maker.signs_in(code=app.at(int(time()), counter_offset=1))
    body = {"email": maker.email, "password": maker.password}
    asked = maker.refused("POST", "/api/auth/login", body)
    maker.canaries.plant("challenge", asked["challenge"])
    wrong = maker.canaries.plant("recovery code", "canary-7e21-a-code")
    unanswered = {"challenge": asked["challenge"], "recovery_code": wrong}
    maker.refused("POST", "/api/auth/login/second-factor", unanswered)
    maker.signs_in(recovery_code=codes[0])
    maker.refused("POST", "/api/auth/step-up", {"password": maker.password})
    maker.post("/api/auth/step-up", {"recovery_code": codes[1]})
    codes = maker.post("/api/account/factors/recovery-codes")["recovery_codes"]
    _plant_codes(maker, codes)
    return list(codes)


def keys_for_programs(maker: Visitor) -> None:
    made = maker.post("/api/user/api-keys", {"name": "a program", "scopes": ["account:read", "library:write"]})
    key = maker.canaries.plant("API key", made["key"])
    maker.refused("POST", "/api/user/api-keys", {"name": key, "scopes": [key]})
    assert maker.send("GET", "/api/auth/me", bearer=key).is_success
    maker.refused("GET", "/api/auth/sessions", bearer=key)
    path = f"/api/user/api-keys/{made['api_key']['id']}"
    rotated = maker.post(f"{path}/rotate", {"overlap_days": 1})
    successor = maker.canaries.plant("API key", rotated["key"])
    assert maker.send("GET", "/api/auth/me", bearer=successor).is_success
    maker.send("DELETE", path)
    maker.refused("GET", "/api/auth/me", bearer=key)
    maker.refused("GET", "/api/auth/me", bearer=f"{successor[:-1]}_")


def a_team(maker: Visitor, friend: Visitor) -> None:
    team = f"/api/organizations/{maker.post('/api/organizations', {'name': 'Night shift'})['id']}"
    maker.post(f"{team}/invitations", {"email": friend.email, "role": "member"})
    token = friend.mailed_token("invitation")
    friend.post("/api/invitations/preview", {"token": token})
    friend.refused("POST", "/api/invitations/preview", {"token": [token]})
    maker.refused("POST", "/api/invitations/accept", {"token": token})
    me = {"email": friend.email, "password": friend.chooses("canary-7e21 the password of a friend")}
    friend.post("/api/auth/register", me)
    verify = {"token": friend.mailed_token("verify-email"), "password": friend.password, "mode": "body"}
    friend.signed_in(friend.post("/api/auth/verify-email", verify))
    friend.post("/api/invitations/accept", {"token": token})
    maker.get(f"{team}/activity")
    friend.send("DELETE", f"{team}/members/{friend.get('/api/auth/me')['id']}")


def sounds_and_copies(maker: Visitor) -> None:
    file = ("tone.wav", wav(tone(440)), "audio/wav")
    sent = maker.http.post("/api/samples", files={"audio": file}, headers={"Authorization": f"Bearer {maker.token}"})
    assert sent.status_code == 201, sent.text
    _follow(maker, maker.get(f"/api/samples/{sent.json()['sample_id']}/download/link")["url"])
    export = f"/api/account/exports/{maker.post('/api/account/exports')['id']}"
    maker.refused("POST", f"{export}/link")
    until(lambda: maker.get(export)["status"] == "completed", 60)
    copy = _follow(maker, maker.post(f"{export}/link")["url"])
    with zipfile.ZipFile(io.BytesIO(copy)) as archive:
        texts = [archive.read(name).decode("utf-8", "replace") for name in archive.namelist()]
    maker.canaries.taken["copy of one's data"] = "\n".join(texts)


def leaving_and_staying(maker: Visitor) -> None:
    maker.refused("POST", "/api/account/deletion", {"password": "canary-7e21 a mistyped password"})
    team = maker.get("/api/organizations")["organizations"][0]
    maker.send("DELETE", f"/api/organizations/{team['id']}", {"name": team["name"]})
    maker.post("/api/account/deletion", {"password": maker.password})
    maker.post("/api/auth/keep-account", {"token": maker.mailed_token("keep-account")})


def administration(running: Running, chief: Visitor, friend: Visitor) -> str:
    """The id of the administrator."""
    chief.chooses("canary-7e21 the password of the chief")
    running.command("user", "create", chief.email, "--admin", "--password-stdin", typed=f"{chief.password}\n")
    chief.signs_in()
    chief_id: str = chief.get("/api/auth/me")["id"]
    chief.refused("GET", "/api/admin/users")
    codes = second_factors(chief)
    chief.signs_in(recovery_code=codes[0])
    somebody = f"/api/admin/users/{friend.get('/api/auth/me')['id']}"
    chief.get(f"/api/admin/users?q={friend.email}")
    look = chief.post(f"{somebody}/impersonation", {"reason": "a question about a pad"})
    for part in look["token"].split(".")[1:]:
        chief.canaries.plant("access token", part)
    chief.refused("POST", "/api/organizations", {"name": "not mine"}, bearer=look["token"])
    chief.send("DELETE", "/api/admin/impersonation", bearer=look["token"])
    chief.refused("PUT", somebody, {"password": friend.password})
    chief.send("PUT", somebody, {"is_active": False})
    friend.refused("GET", "/api/auth/me")
    chief.send("PUT", somebody, {"is_active": True})
    friend.signs_in()
    chief.post(f"{somebody}/reset-factors")
    chief.post(f"{somebody}/sign-out")
    for format_ in ("csv", "json"):
        answer = chief.send("GET", f"/api/admin/audit/export?format={format_}")
        chief.canaries.taken[f"audit log as {format_}"] = answer.text
    chief.post("/api/auth/logout")
    return chief_id


def commands(running: Running, friend: Visitor) -> None:
    running.command("keys", "rotate")
    running.command("keys", "list")
    running.command("user", "list")
    running.command("user", "reset-2fa", friend.email, "--yes")
    running.command("audit", "verify")
    running.canaries.taken["audit log by command"] = running.command("audit", "export", "--format", "json")
    running.command("settings")


def attacks(running: Running, email: str) -> None:
    """Somebody who guesses a password, and who sends what would be a line of the log."""
    with running.visitor() as thief:
        guess = {"email": email, "password": thief.canaries.plant("password", "canary-7e21 a guessed password")}
        codes = [thief.refused("POST", "/api/auth/login", guess)["code"] for _ in range(11)]
        assert codes[-1] == "rate-limited"
        thief.http.headers["User-Agent"] = FORGED
        thief.refused("GET", f"/api/nothing%0A{quote(FORGED)}")


def _follow(visitor: Visitor, url: str) -> bytes:
    """Download by a signed link, which is no less a secret than a token, and once with its signature changed."""
    for name, values in parse_qs(urlsplit(url).query).items():
        if name == "signature":
            visitor.canaries.plant("signature of a link", values[0])
    assert "signature of a link" in visitor.canaries.kinds(), url
    changed = visitor.http.get(url.replace("signature=", "signature=x"))
    assert changed.status_code >= 400
    visitor.canaries.refusals.append(changed.text)
    answer = visitor.http.get(url)
    assert answer.status_code == 200, answer.text
    return answer.content


def _plant_codes(visitor: Visitor, codes: list[str]) -> None:
    for code in codes:
        visitor.canaries.plant("recovery code", code)
        visitor.canaries.plant("recovery code", code.replace("-", ""))


def _plant_the_installations_own(running: Running) -> None:
    for file in sorted((running.data / "keys").iterdir()):
        if file.stat().st_mode & 0o077 == 0:
            for line in file.read_bytes().splitlines():
                if not line.startswith(b"-----") and len(line) >= 16:
                    running.canaries.plant("signing key", line.decode("latin-1"))


def _hash_of(canaries: Canaries, kind: str) -> str:
    secret = next(secret for each, secret in canaries.planted if each == kind)
    return hashlib.sha256(secret.encode()).hexdigest()


async def _count_accounts(address: ServerAddress) -> int:
    connection = await asyncpg.connect(address.backup_url)
    try:
        return int(await connection.fetchval("select count(*) from users"))
    finally:
        await connection.close()


async def _rows(address: ServerAddress) -> dict[str, str]:
    """Every version of every row, by table, the application's own bytes in hexadecimal."""
    connection = await asyncpg.connect(address.owner_url)
    try:
        versions = await connection.fetch(
            "select origin, string_agg(version, E'\\n') as all from witness.versions group by 1"
        )
        return {row["origin"]: row["all"] for row in versions}
    finally:
        await connection.close()


def _files(folder: Path, *, but: set[str]) -> dict[str, str]:
    """What lies on the disk, but for the folders where secrets are kept and where mails are put."""
    files = [file for file in folder.rglob("*") if file.is_file() and file.relative_to(folder).parts[0] not in but]
    return {str(file.relative_to(folder)): file.read_bytes().decode("latin-1") for file in files}


async def _execute(url: str, statements: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statements)
    finally:
        await connection.close()
