"""The inside of a worker process of `EnginePool`: reads calls from standard input, answers on standard output."""

import contextlib
import os
import pickle
import queue
import signal
import struct
import sys
import threading
from typing import Any, BinaryIO

READY, TAKEN, PROGRESS, RESULT, ERROR = "ready", "taken", "progress", "result", "error"
"""What is told: READY once; then for each call TAKEN, any number of PROGRESS, and RESULT or ERROR."""

_HEADER = struct.Struct("<Q")
_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Work until the parent closes the pipe or dies. Arguments: the parent's process id and the memory limit."""
    parent, memory_bytes = int(sys.argv[1]), int(sys.argv[2])
    _die_with_parent(parent)
    # Ctrl-C is for the parent to hear; it ends its workers itself.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    calls, answers = _take_pipes()
    inbox: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(calls, inbox), daemon=True).start()
    try:
        _warm_up()
    except Exception as error:
        _send(answers, ERROR, f"{error}")
        sys.exit(1)
    _limit(memory_bytes)
    _send(answers, READY, None)
    while True:
        call = inbox.get()
        # From here on the task is to blame if this process ends.
        _send(answers, TAKEN, None)
        _answer(call, answers)


def _answer(message: bytes, answers: BinaryIO) -> None:
    try:
        function, args, kwargs, wants_progress = pickle.loads(message)  # noqa: S301
        if wants_progress:
            kwargs["on_progress"] = lambda percent, step: _send(answers, PROGRESS, (percent, step))
        value = function(*args, **kwargs)
        _send(answers, RESULT, value)
    except Exception as error:
        _send_error(answers, error)


def _send_error(answers: BinaryIO, error: Exception) -> None:
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301
    except Exception:
        # Not every exception survives the trip; its words do.
        error = RuntimeError(f"{type(error).__name__}: {error}")
    _send(answers, ERROR, error)


def _send(answers: BinaryIO, kind: str, value: Any) -> None:
    message = pickle.dumps((kind, value), pickle.HIGHEST_PROTOCOL)
    answers.write(_HEADER.pack(len(message)) + message)
    answers.flush()


def _receive(calls: BinaryIO, inbox: "queue.SimpleQueue[bytes]") -> None:
    """Runs beside the work, so that the end of the parent is noticed in the middle of a task, too."""
    while True:
        header = calls.read(_HEADER.size)
        if len(header) < _HEADER.size:
            os._exit(0)
        inbox.put(calls.read(_HEADER.unpack(header)[0]))


def _take_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Keep the pipes for the protocol, and give everything else the null device.

    Decoders written in C complain on standard error about every damaged frame; what Python has to say still gets there.
    """
    calls, answers, complaints = os.dup(0), os.dup(1), os.dup(2)
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    os.close(null)
    sys.stderr = os.fdopen(complaints, "w", buffering=1)
    return os.fdopen(calls, "rb"), os.fdopen(answers, "wb")


def _die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when the parent dies, even when it is killed itself (Linux)."""
    if sys.platform != "linux":
        return
    import ctypes

    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)


def _warm_up() -> None:
    """Import and read what the first analysis would, before the memory limit counts; what is broken shows here."""
    import soundfile  # noqa: F401
    import soxr  # noqa: F401

    from sample_agent.engine import analysis
    from sample_agent.engine.signal import transforms

    transforms.load()
    analysis.load_models()


def _limit(memory_bytes: int) -> None:
    """No core dumps, and no more memory than an idle worker has plus `memory_bytes`."""
    if sys.platform == "win32":
        return
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(OSError, ValueError):
        pages = int(open("/proc/self/statm").read().split()[0])  # noqa: PTH123, SIM115
        limit = pages * resource.getpagesize() + memory_bytes
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
