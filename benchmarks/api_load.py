"""Listing samples with a thousand connected people who think between requests, beside a bare FastAPI endpoint.

    python -m benchmarks api_load [--clients N] [--think SECONDS] [--seconds SECONDS] [--rounds N] [--against CHECKOUT]

A fresh installation with durable PostgreSQL, 200 people with 200 samples each, five signed-in devices each. Every
device keeps its connection and asks for `GET /api/samples?limit=50` with changing filters. The bare endpoint runs under
the same uvicorn settings and gets the same crowd; each takes its turn in every round. With `--against` another
checkout's API takes turns on the same database, which shows what a change did.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from benchmarks.crowd import Visit, visit
from benchmarks.inhabitants import Inhabitant, move_in
from benchmarks.installation import Installation, Server, api, bare_api, cpu_seconds, fresh_installation

RESULT = Path(__file__).parent / "results" / "api_load.json"
TARGET_P95_MS = 200

COLUMNS = {
    "requests_per_second": "req/s",
    "p50_ms": "p50 ms",
    "p95_ms": "p95 ms",
    "p99_ms": "p99 ms",
    "server_cpu_ms": "CPU ms/req",
    "database_cpu_ms": "DB ms/req",
    "kib_per_answer": "KiB",
}
FILTERS = (
    "",
    "",
    "",
    "&kind=loop",
    "&kind=one-shot&sort=name",
    "&q=dusty",
    "&q=rhodes%20-dark",
    "&tempo_min=80&tempo_max=100&sort=tempo",
    "&tempo_min=85&tempo_max=95&tempo_multiples=true",
    "&key=Am&key_compatible=true",
    "&tag=soul&sort=-created_at",
    "&favourite=true",
    "&duration_max=5&sort=-loudness",
    "&offset=50",
)


@dataclass
class Contender:
    """One server under the crowd, and what each of its rounds measured."""

    name: str
    server: Server
    paths: Sequence[str]
    rounds: list[dict[str, Any]] = field(default_factory=list)


def main() -> int:
    arguments = parse()
    with ExitStack() as stack:
        installation = stack.enter_context(fresh_installation())
        people = arguments.people
        print(f"filling {people} libraries with {arguments.samples} samples each …", flush=True)
        devices = -(-arguments.clients // people)
        inhabitants = asyncio.run(
            move_in(installation.settings, people=people, samples_each=arguments.samples, devices_each=devices)
        )
        contenders = list(enter(stack, installation, arguments.against))
        for turn in range(arguments.rounds):
            for contender in contenders if turn % 2 == 0 else reversed(contenders):
                contender.rounds.append(round_of(contender, inhabitants, installation, arguments, seed=turn))
        return report(contenders, arguments)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=1000)
    parser.add_argument("--people", type=int, default=200)
    parser.add_argument("--samples", type=int, default=200, help="in each person's library")
    parser.add_argument("--think", type=float, default=10, help="mean seconds between a client's requests")
    parser.add_argument("--seconds", type=float, default=30, help="counted seconds of each round")
    parser.add_argument("--warm-up", type=float, default=8)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--against", type=Path, help="another checkout whose API takes turns")
    return parser.parse_args()


def enter(stack: ExitStack, installation: Installation, against: Path | None) -> Iterator[Contender]:
    lists = [f"/api/samples?limit=50{filters}" for filters in FILTERS]
    yield Contender("bare FastAPI", stack.enter_context(bare_api(installation)), ["/bare"])
    if against is not None:
        other = stack.enter_context(api(installation, sources=against.resolve() / "src"))
        yield Contender(against.name, other, lists)
    yield Contender("list samples", stack.enter_context(api(installation)), lists)


def round_of(
    contender: Contender,
    inhabitants: Sequence[Inhabitant],
    installation: Installation,
    arguments: argparse.Namespace,
    *,
    seed: int,
) -> dict[str, Any]:
    tokens = [token for inhabitant in inhabitants for token in inhabitant.tokens][: arguments.clients]
    server, database = contender.server, installation.postgres.pid
    assert database is not None
    before = server.cpu_seconds(), cpu_seconds(database)
    measured = visit(
        Visit(
            port=server.port,
            paths=contender.paths,
            headers=[f"Host: localhost\r\nAccept: application/json\r\nAuthorization: Bearer {t}" for t in tokens],
            think_seconds=arguments.think,
            warm_up_seconds=arguments.warm_up,
            seconds=arguments.seconds,
            seed=seed,
        )
    )
    times = sorted(measured.pop("milliseconds"))
    if not times:
        raise RuntimeError(f"{contender.name} answered nothing: {measured}; see {server.log.read_text()[-2000:]}")
    answers = len(times)
    asked = answers * (arguments.seconds + arguments.warm_up) / arguments.seconds  # processor time includes the warm-up
    p50, p95 = quantile(times, 0.5), quantile(times, 0.95)
    print(f"  {contender.name}: {answers} answers, p50 {p50:.1f} ms, p95 {p95:.1f} ms", flush=True)
    return {
        "answers": answers,
        "requests_per_second": answers / arguments.seconds,
        "p50_ms": p50,
        "p95_ms": p95,
        "p99_ms": quantile(times, 0.99),
        "worst_ms": times[-1],
        "errors": answers - measured["statuses"].get("200", 0),
        "resets": measured["resets"],
        "timeouts": measured["timeouts"],
        "kib_per_answer": measured["bytes"] / answers / 1024,
        "server_cpu_ms": (server.cpu_seconds() - before[0]) / asked * 1000,
        "database_cpu_ms": (cpu_seconds(database) - before[1]) / asked * 1000,
        "server_mib": server.memory_mib(),
        "client_cpu_seconds": measured["client_cpu_seconds"],
        "statuses": measured["statuses"],
    }


def quantile(ordered: Sequence[float], share: float) -> float:
    """The value that `share` of all values do not exceed."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def report(contenders: Sequence[Contender], arguments: argparse.Namespace) -> int:
    """Print and write what was measured; 1 when an answer was wrong or missing."""
    heads = {**COLUMNS, "errors": "errors", "resets": "resets", "timeouts": "timeouts"}.values()
    print(
        f"{arguments.clients} clients, {arguments.think:g} s of thought on average, "
        f"median of {arguments.rounds} rounds of {arguments.seconds:g} s"
    )
    print(f"{'':16s}" + "".join(f"{head:>11s}" for head in heads))
    summary = {}
    for contender in contenders:
        median = {column: statistics.median(each[column] for each in contender.rounds) for column in COLUMNS}
        lost = {name: sum(each[name] for each in contender.rounds) for name in ("errors", "resets", "timeouts")}
        summary[contender.name] = {**median, **lost, "rounds": contender.rounds}
        print(
            f"{contender.name:16s}"
            + "".join(f"{value:11.1f}" for value in median.values())
            + "".join(f"{value:11d}" for value in lost.values())
        )
    ours, bare = summary["list samples"], summary["bare FastAPI"]
    ratios = {column: ours[column] / bare[column] for column in ("p50_ms", "p95_ms", "p99_ms", "server_cpu_ms")}
    print("times the bare endpoint: " + ", ".join(f"{name} {ratio:.1f}" for name, ratio in ratios.items()))
    outcome = "met" if ours["p95_ms"] < TARGET_P95_MS else "MISSED"
    print(f"p95 {ours['p95_ms']:.0f} ms, target {TARGET_P95_MS} ms: {outcome}")
    RESULT.parent.mkdir(exist_ok=True)
    content = {
        "clients": arguments.clients,
        "think_seconds": arguments.think,
        "seconds": arguments.seconds,
        "people": arguments.people,
        "samples_each": arguments.samples,
        "target_p95_ms": TARGET_P95_MS,
        "ratio_to_bare": ratios,
        "servers": summary,
    }
    RESULT.write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2))
    return 1 if ours["errors"] or ours["resets"] or ours["timeouts"] else 0


if __name__ == "__main__":
    sys.exit(main())
