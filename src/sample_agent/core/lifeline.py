"""Children that die with their parent, whatever kills the parent.

Linux tells a child by a signal (`PR_SET_PDEATHSIG`). Elsewhere a child reads from a pipe whose other end only the
parent holds: the pipe ends when the parent does.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
from collections.abc import Callable

LIFELINE_VARIABLE = "SAMPLE_AGENT_LIFELINE_FD"
_PR_SET_PDEATHSIG = 1


def die_with_parent(signum: signal.Signals) -> Callable[[], None] | None:
    """A `preexec_fn` after which the child gets `signum` when this process dies; None where no system call does that.

    Raises RuntimeError outside the main thread: the kernel watches the thread that forked, not the process, so a child
    of a short-lived thread would be killed when that thread ends.
    """
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("a child that dies with its parent must be started from the main thread")
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def ask_the_kernel() -> None:
        # After setuid, which clears the request; Popen calls preexec_fn after changing the user.
        if prctl(_PR_SET_PDEATHSIG, int(signum), 0, 0, 0) != 0:
            os._exit(126)
        if os.getppid() != parent:  # it died between fork and prctl, and no signal will come
            os._exit(126)

    return ask_the_kernel


def end_with_lifeline() -> None:
    """In a child: kill this process group when the pipe inherited from the supervisor ends. Without a pipe, nothing."""
    descriptor = os.environ.pop(LIFELINE_VARIABLE, "")
    if descriptor:
        threading.Thread(target=_wait_for_the_end, args=(int(descriptor),), name="lifeline", daemon=True).start()


def _wait_for_the_end(descriptor: int) -> None:
    while os.read(descriptor, 1):
        pass
    os.killpg(0, signal.SIGKILL)
