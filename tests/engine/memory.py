"""How much memory a piece of work takes, measured in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

_MEASURED = """
import json, resource, sys
from sample_agent.engine import AudioError, analyze_file

analyze_file(sys.argv[1])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
options = json.loads(sys.argv[3])
try:
    found = analyze_file(sys.argv[2], **options)
    told = {"duration": found.duration, "kind": found.kind.kind, "lufs": found.loudness.integrated_lufs}
except AudioError as error:
    told = {"error": error.code}
grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
print(json.dumps({**told, "mebibytes": grown / 1024}))
"""


def analysis_apart(small: Path, path: Path, **options: Any) -> dict[str, Any]:
    """Analyse `path` in another process, after `small`, which loads what any analysis needs.

    Returns:
        What was found, or the code of the error; and by how much the highest memory of the process has grown.
    """
    done = subprocess.run(
        [sys.executable, "-c", _MEASURED, str(small), str(path), json.dumps(options)],
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found
