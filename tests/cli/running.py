"""Running `sample-agent analyze` as a user runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ANALYZE = (sys.executable, "-c", "from sample_agent.cli import main; main()", "analyze")


def environment(columns: int = 140) -> dict[str, str]:
    return {"PATH": "", "COLUMNS": str(columns), "NO_COLOR": "1", "XDG_CACHE_HOME": os.environ["XDG_CACHE_HOME"]}


def analyze(*arguments: str | Path, columns: int = 140, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*ANALYZE, *map(str, arguments)],
        check=False,
        capture_output=True,
        text=True,
        input=stdin,
        timeout=120,
        env=environment(columns),
    )
