"""What a peer answers for many files: a list of paths as JSON on stdin; answers, CPU seconds and errors on stdout.

Runs in the peer's environment, so it needs nothing but Python.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any


def answer(make_peer: Callable[[], Callable[[str], Any]], missing: Any) -> None:
    """Ask the peer about every file; `missing` stands for the answer of a file that it fails on."""
    warnings.simplefilter("ignore")
    paths = json.load(sys.stdin)
    answers, errors = [], []
    with contextlib.redirect_stdout(io.StringIO()):
        ask = make_peer()
        with contextlib.suppress(Exception):
            # What is compiled on the first call is not held against anybody.
            ask(paths[0])
        started = time.process_time()
        for path in paths:
            try:
                answers.append(ask(path))
            except Exception as error:
                errors.append(repr(error))
                answers.append(missing)
        seconds = time.process_time() - started
    json.dump({"answers": answers, "seconds": seconds, "errors": errors[:3], "failed": len(errors)}, sys.stdout)
