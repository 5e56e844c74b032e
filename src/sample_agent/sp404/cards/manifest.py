"""The manifest of a card: from each file back to the sample it was made from, with checksums. JSON, always the same."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from sample_agent.sp404.cards.report import Report
from sample_agent.sp404.projects.output import card_folder
from sample_agent.sp404.projects.project import Project


def project_manifest(project: Project, number: int, report: Report) -> str:
    """What lies on each pad of a project, what it was called, and what was done to it."""
    about = {"name": project.name, "number": number, "folder": card_folder(number), "tempo": project.tempo}
    return _written({"project": about, "format": "SMP, 16-bit PCM, 48 kHz"}, report)


def wav_card_manifest(collection: str, report: Report) -> str:
    """What each file of a WAV card was called, and what was done to it."""
    return _written({"collection": collection, "format": "WAV, 16-bit PCM, 48 kHz"}, report)


def _written(head: Mapping[str, Any], report: Report) -> str:
    plain = report.to_dict()
    content = {
        "generator": f"sample-agent {version('sample-agent')}",
        "device": "SP-404MK2",
        **head,
        "decisions": plain["decisions"],
        "files": plain["items"],
        "skipped": plain["left_out"],
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"
