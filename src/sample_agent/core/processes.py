"""The process tree of `sample-agent serve`: starts programs, restarts those that die, ends all of them together.

Needs the standard library only. Every program runs in a session of its own, so that the terminal's ^C reaches the
supervisor alone, and dies with the supervisor, however that ends. What programs print goes where our output goes.
"""

from __future__ import annotations

import logging
import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from types import FrameType
from urllib.parse import urlsplit

from sample_agent.core.lifeline import LIFELINE_VARIABLE, die_with_parent
from sample_agent.core.postgres import EmbeddedPostgres, PostgresError

_READY_EVERY = 0.1
_IDLE = 5.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Program:
    """A program to keep running."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    """Variables set on top of our own environment."""
    ready: str | Callable[[], bool] | None = None
    """What tells that it is up: a URL that answers without an error, or a function. None: up as soon as started."""


@dataclass(frozen=True)
class Backoff:
    """How long a program that died stays down: twice as long each time, until it has lived `healthy_after` seconds."""

    first: float = 0.5
    cap: float = 30.0
    healthy_after: float = 60.0

    def failures(self, before: int, lived: float) -> int:
        """Failures in a row, counting the one that just ended a life of `lived` seconds."""
        return 1 if lived >= self.healthy_after else before + 1

    def delay(self, failures: int) -> float:
        """Seconds to wait after so many failures in a row."""
        return float(min(self.cap, self.first * 2.0 ** min(failures - 1, 32)))


class Supervisor:
    """Keeps `programs` and the embedded PostgreSQL running until told to stop.

    Programs start in the given order, each when the one before is ready. A program that dies `attempts` times without
    ever having been ready ends the whole: that is a mistake in the set-up, and a loop would hide it.
    """

    def __init__(
        self,
        programs: Sequence[Program],
        *,
        postgres: EmbeddedPostgres | None = None,
        backoff: Backoff | None = None,
        grace: float = 30.0,
        attempts: int = 3,
    ) -> None:
        self._postgres = postgres
        self._backoff = backoff or Backoff()
        self._grace = grace
        self._attempts = attempts
        self._children = [_Child(program, self._backoff) for program in programs]
        self._postgres_failures = 0
        self._postgres_due = 0.0

    def run(self, on_ready: Callable[[], None] | None = None) -> int:
        """Run until SIGINT, SIGTERM or SIGHUP, then stop programs first and PostgreSQL last; a second signal forces.

        Call it in the main thread, with PostgreSQL started. `on_ready` is called once, when every program is up.
        Returns the exit status for the process: 0 after a signal, 1 when a program never came up.
        """
        with _listening() as signals:
            try:
                return self._keep_running(signals, on_ready)
            finally:
                self._stop(signals)

    def _keep_running(self, signals: _Signals, on_ready: Callable[[], None] | None) -> int:
        announced = False
        while not signals.stops:
            self._tend_postgres(signals)
            self._reap_adopted()
            for child in self._children:
                child.tend()
                if child.failures >= self._attempts and not child.was_ready:
                    _log.error("%s ended %d times before it was ready; giving up", child.program.name, child.failures)
                    return 1
                if not child.was_ready:
                    break  # the ones after it wait
            if not announced and all(child.was_ready for child in self._children):
                announced = True
                if on_ready:
                    on_ready()
            signals.wait(min([self._postgres_idle(), *(child.idle() for child in self._children)]))
        return 0

    def _tend_postgres(self, signals: _Signals) -> None:
        if self._postgres is None or self._postgres.alive() or time.monotonic() < self._postgres_due:
            return
        _log.warning("PostgreSQL died; starting it again")
        with signals.interrupting(1):
            try:
                self._postgres.restart_if_dead()
            except PostgresError as error:
                self._postgres_failures += 1
                self._postgres_due = time.monotonic() + self._backoff.delay(self._postgres_failures)
                _log.error("PostgreSQL does not start: %s", error)
            else:
                self._postgres_failures = 0

    def _postgres_idle(self) -> float:
        if self._postgres is None or self._postgres.alive():
            return _IDLE
        return max(0.0, self._postgres_due - time.monotonic())

    def _reap_adopted(self) -> None:
        """Take leave of dead processes we did not start: as process 1 of a container every orphan becomes ours."""
        if os.getpid() != 1:
            return
        ours = {self._postgres.pid if self._postgres else None, *(child.pid for child in self._children)}
        with suppress(ChildProcessError):
            while found := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                if found.si_pid in ours:
                    break  # its own turn comes in this round or the next
                os.waitpid(found.si_pid, 0)

    def _stop(self, signals: _Signals) -> None:
        for child in self._children:
            child.ask_to_end()
        deadline = time.monotonic() + self._grace
        while any(child.alive() for child in self._children) and signals.stops < 2:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                break
            signals.wait(remaining)
        for child in self._children:
            child.kill()
        if self._postgres is not None:
            with signals.interrupting(2):
                self._postgres.stop(immediately=signals.stops >= 2)
            self._postgres.stop(immediately=True)  # nothing is left to stop unless a signal cut the first one short


class _Child:
    """One program's process, past and present."""

    def __init__(self, program: Program, backoff: Backoff) -> None:
        self.program = program
        self.failures = 0
        self.was_ready = False
        self._backoff = backoff
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._due = 0.0

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def tend(self) -> None:
        """Notice its death, start it when it is time, notice that it became ready."""
        if self._process is not None and not self.alive():
            self._mourn(self._process)
        if self._process is None and time.monotonic() >= self._due:
            self._start()
        if not self.was_ready and self.alive():
            self.was_ready = _is_ready(self.program.ready)

    def idle(self) -> float:
        """Seconds after which it wants to be looked at again, if no signal comes."""
        if self._process is None:
            return max(0.0, self._due - time.monotonic()) if self._due else _IDLE
        return _IDLE if self.was_ready else _READY_EVERY

    def ask_to_end(self) -> None:
        if self._process is not None and self.alive():
            self._process.terminate()

    def kill(self) -> None:
        """End it and what it has started, now."""
        if self._process is not None:
            _kill_group(self._process)
            self._process.wait()
            self._process = None

    def _start(self) -> None:
        bound = die_with_parent(signal.SIGKILL)
        lifeline = _lifeline()[0] if bound is None else None
        self._process = subprocess.Popen(
            list(self.program.argv),
            env={
                **os.environ,
                **self.program.env,
                **({LIFELINE_VARIABLE: str(lifeline)} if lifeline is not None else {}),
            },
            pass_fds=() if lifeline is None else (lifeline,),
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=bound,  # noqa: PLW1509 forks from the main thread only
        )
        self._started = time.monotonic()

    def _mourn(self, process: subprocess.Popen[bytes]) -> None:
        _kill_group(process)  # what it had started would otherwise outlive it
        self._process = None
        self.failures = self._backoff.failures(self.failures, time.monotonic() - self._started)
        delay = self._backoff.delay(self.failures)
        self._due = time.monotonic() + delay
        _log.warning("%s ended (%s); starting it again in %.1f s", self.program.name, _how(process.returncode), delay)


class _Signals:
    """Counts requests to stop, and wakes a waiting supervisor for them and for the death of children."""

    def __init__(self, wakeup: int) -> None:
        self.stops = 0
        self._wakeup = wakeup
        self._interrupt_at: int | None = None

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        self.stops += 1
        if self._interrupt_at is not None and self.stops >= self._interrupt_at:
            self._interrupt_at = None
            raise _StopNow

    def wait(self, seconds: float) -> None:
        """Return at the next signal, at the latest after `seconds`."""
        if select.select([self._wakeup], [], [], seconds)[0]:
            os.read(self._wakeup, 4096)

    @contextmanager
    def interrupting(self, stops: int) -> Iterator[None]:
        """Leave the block, without an error, when that many requests to stop have come."""
        self._interrupt_at = stops
        try:
            yield
        except _StopNow:
            pass
        finally:
            self._interrupt_at = None


class _StopNow(BaseException):
    """Leaves a call that blocks; caught by `_Signals.interrupting` alone."""


@contextmanager
def _listening() -> Iterator[_Signals]:
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    os.set_blocking(writing, False)
    signals = _Signals(reading)
    handlers = dict.fromkeys((signal.SIGINT, signal.SIGTERM, signal.SIGHUP), signals.request_stop)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:  # started by nohup: meant to outlive the terminal
        del handlers[signal.SIGHUP]
    before = {signum: signal.signal(signum, handler) for signum, handler in handlers.items()}
    before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)
    wakeup_before = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    try:
        yield signals
    finally:
        signal.set_wakeup_fd(wakeup_before)
        for signum, handler in before.items():
            signal.signal(signum, handler)
        os.close(reading)
        os.close(writing)


@cache
def _lifeline() -> tuple[int, int]:
    """A pipe: children watch its first end, and its second stays open until we die."""
    return os.pipe()


def _is_ready(check: str | Callable[[], bool] | None) -> bool:
    if check is None:
        return True
    return _answers(check) if isinstance(check, str) else check()


def _answers(url: str) -> bool:
    from http.client import HTTPConnection, HTTPException  # here: a tree without URLs starts without it

    target = urlsplit(url)
    connection = HTTPConnection(target.hostname or "", target.port, timeout=1)
    try:
        connection.request("GET", target.path or "/")
        return connection.getresponse().status < 400
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _how(status: int) -> str:
    return f"exit status {status}" if status >= 0 else f"killed by {signal.Signals(-status).name}"
