"""Signing in, asking who one is, and verifying tokens, beside the least each could cost.

    python -m benchmarks login [--requests N] [--rounds N] [--clients N] [--seconds SECONDS]

Over HTTP the peer is a bare FastAPI endpoint under the same uvicorn settings: for times asked in turns by one client,
for requests per second in turns by several that ask again at once, each with a session of their own. For token
verification it is the bare RSA signature check of the `cryptography` package. Signing in is slow on purpose: the
password hash is meant to cost 40 to 80 ms where the machine can, and the answer to come within 200.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import orjson
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc.util import urlsafe_b64decode

from benchmarks.api_load import quantile
from benchmarks.crowd import Visit, visit
from benchmarks.inhabitants import PASSWORD, Inhabitant, move_in
from benchmarks.installation import api, bare_api, fresh_installation
from benchmarks.targets import Target, show
from sample_agent.accounts.clock import utc_now
from sample_agent.accounts.passwords import LEAST_MILLISECONDS, Argon2id, measured_passes
from sample_agent.accounts.signing.access_tokens import AccessTokens
from sample_agent.accounts.signing.keys import load_keys
from sample_agent.core.identifiers import new_id
from sample_agent.core.settings import Settings

RESULT = Path(__file__).parent / "results" / "login.json"
REPEATED = 100
BUDGET_MS = 200.0
JSON = {"Content-Type": "application/json"}


def main() -> None:
    arguments = parse()
    with ExitStack() as stack:
        installation = stack.enter_context(fresh_installation())
        settings = installation.settings
        people = asyncio.run(move_in(settings, people=arguments.clients, samples_each=1, devices_each=1))
        person = people[0]
        bare_port, our_port = (stack.enter_context(run(installation)).port for run in (bare_api, api))
        bare, ours = Client(bare_port), Client(our_port)
        credentials = orjson.dumps({"email": person.email, "password": PASSWORD})
        bearer = {"Authorization": f"Bearer {person.tokens[0]}"}
        requests: dict[str, Callable[[], float]] = {
            "bare FastAPI": lambda: bare.ask("GET", "/bare"),
            "who am I": lambda: ours.ask("GET", "/api/auth/me", headers=bearer),
            "sign in": lambda: ours.ask("POST", "/api/auth/login", credentials, JSON),
        }
        times = in_turns(requests, arguments.requests)
        rates = requests_per_second(
            {"bare FastAPI": (bare_port, "/bare"), "who am I": (our_port, "/api/auth/me")}, people, arguments
        )
        verification = verifications(settings, person, arguments.rounds)
    report(times, rates, verification, arguments)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=200, help="of each kind")
    parser.add_argument("--rounds", type=int, default=20, help="of 100 verifications")
    parser.add_argument("--clients", type=int, default=8, help="that ask for requests per second")
    parser.add_argument("--seconds", type=float, default=5, help="counted of each of three turns")
    return parser.parse_args()


class Client:
    """One client with one connection."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def ask(self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> float:
        """Milliseconds until the whole answer was there; raises when it is not a 200."""
        started = time.perf_counter()
        self.connection.request(method, path, body, headers or {})
        answer = self.connection.getresponse()
        content = answer.read()
        milliseconds = (time.perf_counter() - started) * 1000
        if answer.status != 200:
            raise RuntimeError(f"{method} {path} answered {answer.status}: {content.decode()}")
        return milliseconds


def in_turns(requests: dict[str, Callable[[], float]], count: int) -> dict[str, list[float]]:
    """The sorted times of each request; the first tenth warms up and does not count."""
    times: dict[str, list[float]] = {name: [] for name in requests}
    for turn in range(count + count // 10):
        for name, ask in requests.items():
            milliseconds = ask()
            if turn >= count // 10:
                times[name].append(milliseconds)
    return {name: sorted(measured) for name, measured in times.items()}


def requests_per_second(
    contenders: Mapping[str, tuple[int, str]], people: Sequence[Inhabitant], arguments: argparse.Namespace
) -> dict[str, float]:
    """The median of three turns each, in which every client asks again as soon as it was answered."""
    headers = [f"Host: localhost\r\nAuthorization: Bearer {person.tokens[0]}" for person in people]
    rates: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(3):
        for name, (port, path) in contenders.items():
            measured = visit(Visit(port, [path], headers, 1e-6, warm_up_seconds=1, seconds=arguments.seconds))
            if set(measured["statuses"]) != {"200"}:
                raise RuntimeError(f"{path} answered {measured['statuses']}")
            rates[name].append(measured["statuses"]["200"] / arguments.seconds)
    return {name: statistics.median(measured) for name, measured in rates.items()}


def verifications(settings: Settings, person: Inhabitant, rounds: int) -> dict[str, float]:
    """Median microseconds of a full verification, of one of a token seen before, and of the bare signature check."""
    keys = load_keys(settings)
    tokens, anew = (AccessTokens(keys, issuer=settings.public_url, seconds=3600, now=utc_now) for _ in range(2))
    unseen = (
        anew.issue(user_id=person.user_id, session_id=new_id(), email=person.email, tier="free")
        for _ in range(rounds * REPEATED)
    )
    others = iter(list(unseen))
    signed, _, signature = person.tokens[0].rpartition(".")
    key = keys.current.get_op_key("verify")
    assert isinstance(key, RSAPublicKey)
    message, mark, padding, digest = signed.encode(), urlsafe_b64decode(signature.encode()), PKCS1v15(), SHA256()
    programs: dict[str, Callable[[], object]] = {
        "verify_us": lambda: anew.verify(next(others)),
        "verify_again_us": lambda: tokens.verify(person.tokens[0]),
        "signature_us": lambda: key.verify(mark, message, padding, digest),
    }
    times: dict[str, list[float]] = {name: [] for name in programs}
    for _ in range(rounds):
        for name, program in programs.items():
            started = time.perf_counter()
            for _ in range(REPEATED):
                program()
            times[name].append((time.perf_counter() - started) / REPEATED * 1e6)
    return {name: statistics.median(measured) for name, measured in times.items()}


def hash_milliseconds() -> float:
    """The median time of a new hash, made as a program makes it that has just started."""
    argon2id, times = Argon2id(measured_passes()), list[float]()
    for _ in range(20):
        started = time.perf_counter()
        argon2id.hash(PASSWORD)
        times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times)


def report(
    times: Mapping[str, Sequence[float]],
    rates: Mapping[str, float],
    verification: Mapping[str, float],
    arguments: argparse.Namespace,
) -> None:
    print(f"one client, {arguments.requests} requests of each kind in turns")
    print(f"{'':16s}{'p50 ms':>10s}{'p95 ms':>10s}{'x bare p50':>12s}")
    bare = quantile(times["bare FastAPI"], 0.5)
    requests = {}
    for name, measured in times.items():
        p50, p95 = quantile(measured, 0.5), quantile(measured, 0.95)
        requests[name] = {"p50_ms": p50, "p95_ms": p95, "ratio_to_bare": p50 / bare}
        print(f"{name:16s}{p50:10.2f}{p95:10.2f}{p50 / bare:12.1f}")
    share = rates["who am I"] / rates["bare FastAPI"]
    print(
        f"{arguments.clients} clients: {rates['who am I']:.0f} times a second who am I, "
        f"{rates['bare FastAPI']:.0f} times bare ({share:.2f} of it)"
    )
    hash_ms = hash_milliseconds()
    print(f"a password hash takes {hash_ms:.0f} ms")
    in_budget = 100 * sum(each <= BUDGET_MS for each in times["sign in"]) / len(times["sign in"])
    targets = show(
        [
            Target("a password hash costs", LEAST_MILLISECONDS, hash_ms, "ms"),
            Target(f"sign-ins answered within {BUDGET_MS:.0f} ms", 95, in_budget),
        ]
    )
    ratio = verification["verify_us"] / verification["signature_us"]
    print(
        f"verifying an access token takes {verification['verify_us']:.0f} µs, {ratio:.1f} times the signature check "
        f"within it ({verification['signature_us']:.0f} µs), and {verification['verify_again_us']:.0f} µs the next time"
    )
    RESULT.parent.mkdir(exist_ok=True)
    content = {
        "requests": requests,
        "requests_per_second": {**rates, "ratio": share},
        "token": {**verification, "ratio": ratio},
        "targets": targets,
    }
    RESULT.write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2))


if __name__ == "__main__":
    main()
