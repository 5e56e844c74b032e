"""Fuzz one target in this process until the time is over: `python -m fuzz.one FAMILY NAME [libFuzzer's options]`."""

from __future__ import annotations

import importlib
import sys

import atheris


def main() -> None:
    """Does not return: libFuzzer ends the process."""
    family, name, *options = sys.argv[1:]
    with atheris.instrument_imports(include=["sample_agent"]):
        module = importlib.import_module(f"fuzz.{family}")
    target = next(target for target in module.TARGETS if target.name == name)
    atheris.Setup([sys.argv[0], *options], target.check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
