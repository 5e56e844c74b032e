"""From nothing to a running program: `git clone`, `make setup`, `make run`, the first page, the first analysed sample.

    python -m benchmarks cold_start [--cold-only]

The first pass has empty caches of packages, so that everything comes from the registries this machine is set up to
use; the second has the caches of the first. What is cloned is the last commit of this checkout. Each pass ends with a
second `make run` in the same folder: the start of every day after the first.
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np
import orjson
import soundfile

from benchmarks.installation import ROOT, free_port, wait_until_ready

RESULT = Path(__file__).parent / "results" / "cold_start.json"
EMAIL, PASSWORD = "first@example.com", "four words nobody guesses"
STEPS = {
    "clone": "git clone",
    "setup": "make setup",
    "first_page": "make run, to the first page",
    "to_page": "all of it, to the first page",
    "first_sample": "a sample, uploaded to analysed",
    "second_sample": "the next sample",
    "stop": "Ctrl-C",
    "restart": "make run again, to the page",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cold-only", action="store_true", help="leave out the pass with warm caches")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="sample-agent-benchmark-"))
    folder.chmod(0o755)
    passes = {}
    try:
        for name in ("cold",) if arguments.cold_only else ("cold", "warm"):
            print(f"{name} caches …", flush=True)
            passes[name] = seconds_of_each_step(folder / name, folder / "caches")
            shutil.rmtree(folder / name)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    report(passes)


def seconds_of_each_step(folder: Path, caches: Path) -> dict[str, float]:
    """Everything a newcomer does, in an empty folder."""
    folder.mkdir()
    folder.chmod(0o755)
    checkout, port = folder / "sample-agent", free_port()
    environment = newcomers_environment(folder, caches, port)
    seconds = {
        "clone": timed(["git", "clone", "--quiet", str(ROOT), str(checkout)], folder, environment),
        "setup": timed(["make", "--silent", "setup"], checkout, environment),
    }
    with running(checkout, environment, port) as program:
        seconds["first_page"] = program.seconds_to_page
        create_account(checkout, environment)
        seconds["first_sample"], seconds["second_sample"] = analysed_samples(port)
    seconds["stop"] = program.seconds_to_stop
    with running(checkout, environment, port) as program:
        seconds["restart"] = program.seconds_to_page
    seconds["to_page"] = seconds["clone"] + seconds["setup"] + seconds["first_page"]
    return seconds


def newcomers_environment(folder: Path, caches: Path, port: int) -> Mapping[str, str]:
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("SAMPLE_AGENT_", "DATABASE_", "VIRTUAL_ENV", "PYTHONPATH", "MAKE", "MFLAGS"))
    }
    return inherited | {
        "UV_CACHE_DIR": str(caches / "uv"),
        "PIP_CACHE_DIR": str(caches / "pip"),
        "npm_config_cache": str(caches / "npm"),
        "SAMPLE_AGENT_DATA_DIR": str(folder / "data"),
        "SAMPLE_AGENT_PORT": str(port),
    }


def timed(command: list[str], folder: Path, environment: Mapping[str, str]) -> float:
    """Seconds a command takes; raises with what it said when it fails."""
    started = time.perf_counter()
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} failed:\n{(done.stdout + done.stderr)[-4000:]}")
    return time.perf_counter() - started


class Run:
    """What `make run` took to start and to stop."""

    seconds_to_page = 0.0
    seconds_to_stop = 0.0


@contextmanager
def running(checkout: Path, environment: Mapping[str, str], port: int) -> Iterator[Run]:
    """`make run` as typed in a terminal, ended by Ctrl-C."""
    run, log, started = Run(), checkout.parent / "run.log", time.perf_counter()
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["make", "--silent", "run"],
            cwd=checkout,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        wait_until_ready(f"http://127.0.0.1:{port}/", process, log, seconds=600)
        run.seconds_to_page = time.perf_counter() - started
        yield run
    finally:
        started = time.perf_counter()
        os.killpg(process.pid, signal.SIGINT)  # a terminal interrupts the whole group
        process.wait(timeout=60)
        run.seconds_to_stop = time.perf_counter() - started


def create_account(checkout: Path, environment: Mapping[str, str]) -> None:
    subprocess.run(
        [checkout / ".venv" / "bin" / "sample-agent", "user", "create", EMAIL, "--password-stdin"],
        input=PASSWORD.encode(),
        cwd=checkout,
        env=environment,
        stdout=subprocess.DEVNULL,
        check=True,
    )


def analysed_samples(port: int) -> list[float]:
    """Seconds from the upload to the finished analysis of two loops, one after the other."""
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        signed_in = client.post("/api/auth/login", json={"email": EMAIL, "password": PASSWORD}).raise_for_status()
        client.headers["Authorization"] = f"Bearer {signed_in.json()['token']}"
        return [analysed_sample(client, tempo) for tempo in (90.0, 120.0)]


def analysed_sample(client: httpx.Client, tempo: float) -> float:
    started = time.perf_counter()
    files = {"audio": (f"loop {tempo:.0f}.wav", clicks(tempo), "audio/wav")}
    sample_id = client.post("/api/samples", files=files).raise_for_status().json()["sample_id"]
    while time.perf_counter() - started < 120:
        sample = client.get(f"/api/samples/{sample_id}").raise_for_status().json()
        if sample["status"] == "completed":
            return time.perf_counter() - started
        if sample["status"] == "failed":
            raise RuntimeError(f"the analysis failed: {sample['error']}")
        time.sleep(0.05)
    raise TimeoutError("the sample was not analysed within two minutes")


def clicks(tempo: float, *, seconds: float = 8, rate: int = 44_100) -> bytes:
    """A loop of decaying noise on every beat, as a WAV file."""
    at = np.arange(int(seconds * rate))
    since_beat = at % round(60 / tempo * rate) / rate
    sound = 0.5 * np.exp(-since_beat * 40) * np.random.default_rng(0).standard_normal(at.size)
    file = io.BytesIO()
    soundfile.write(file, sound.clip(-1, 1), rate, format="WAV", subtype="PCM_16")
    return file.getvalue()


def report(passes: Mapping[str, Mapping[str, float]]) -> None:
    print(f"{'seconds':36s}" + "".join(f"{name + ' caches':>14s}" for name in passes))
    for step, title in STEPS.items():
        print(f"{title:36s}" + "".join(f"{measured[step]:14.1f}" for measured in passes.values()))
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_bytes(orjson.dumps({"seconds": passes}, option=orjson.OPT_INDENT_2))


if __name__ == "__main__":
    main()
