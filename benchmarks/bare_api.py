"""The peer of the API's benchmarks: what FastAPI and uvicorn cost by themselves.

python -m benchmarks.bare_api PORT
"""

from __future__ import annotations

import sys

from fastapi import FastAPI

from sample_agent.apps.run import run_app
from sample_agent.core.settings import Settings

app = FastAPI()


@app.get("/bare")
async def bare() -> dict[str, str]:
    return {"status": "ok"}


if __name__ == "__main__":
    run_app(app, Settings(_env_file=None), port=int(sys.argv[1]))
