"""One file as plain data with its vibe: engine and describer together, for whoever runs them without a service."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any, cast

import numpy as np

from sample_agent.engine import Analysis, analyze_file
from sample_agent.engine.per_frame import PerFrame
from sample_agent.vibe import describe

_FRAMES_AT_ONCE = 1000


def describe_file(path: str, filename: str | None = None) -> dict[str, Any]:
    """The analysis of the file at `path` (`engine.Analysis.to_dict`) and its `vibe` in words.

    Args:
        filename: the name its owner gave it, by default that of `path`.

    Raises:
        AudioError: the file cannot be analysed.
    """
    return _in_words(analyze_file(path, filename=filename))


def describe_frames_too(path: str) -> tuple[dict[str, Any], bytes]:
    """As `describe_file`, with the descriptors of every frame (`engine.per_frame.PerFrame`).

    These are an object in JSON, each descriptor a list over frames with numbers to six digits, packed by zlib: a
    minute of audio has 350,000 of them, which as text are 3.5 MB, and as objects of Python several times that.

    Raises:
        AudioError: the file cannot be analysed.
    """
    analysis = analyze_file(path, per_frame=True)
    return _in_words(analysis), _packed(cast("PerFrame", analysis.per_frame))


def _in_words(analysis: Analysis) -> dict[str, Any]:
    features = analysis.to_dict()
    return {**features, "vibe": describe(features)}


def _packed(frames: PerFrame) -> bytes:
    # Little is gained by packing harder, and much time lost.
    packer = zlib.compressobj(1)
    packed = [packer.compress(text.encode("ascii")) for text in _json(frames)]
    return b"".join((*packed, packer.flush()))


def _json(frames: PerFrame) -> Iterator[str]:
    yield "{"
    for position, (name, values) in enumerate(vars(frames).items()):
        yield f'{", " if position else ""}"{name}": ['
        for start in range(0, len(values), _FRAMES_AT_ONCE):
            yield (", " if start else "") + _numbers(values[start : start + _FRAMES_AT_ONCE])
        yield "]"
    yield "}"


def _numbers(values: np.ndarray[Any, np.dtype[Any]]) -> str:
    """Numbers, or rows of them in brackets, with commas between."""
    row = "%.6g" if values.ndim == 1 else f"[{', '.join(['%.6g'] * values.shape[1])}]"
    return ", ".join([row] * len(values)) % tuple(values.ravel().tolist())
