"""Writes the description of the API that the web app's client is made from: `python -m sample_agent.apps.openapi`."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from sample_agent.apps.everything import create_everything
from sample_agent.core.settings import Settings

FILE = Path(__file__).parents[3] / "web" / "openapi.json"


def api_description() -> dict[str, Any]:
    """The OpenAPI document of both APIs together, the same on every machine."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            _env_file=None,
            environment="development",
            data_dir=Path(folder),
            database_url=SecretStr("postgresql://nobody@localhost/nothing"),
            signing_key=SecretStr("describes, and signs nothing at all"),
            storage_bucket="",
            library_url="",
        )
        return create_everything(settings).openapi()


def formatted(document: dict[str, Any]) -> str:
    """The document as it is kept: in the order of the routes, a change of one field a change of one line."""
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(formatted(api_description()))
