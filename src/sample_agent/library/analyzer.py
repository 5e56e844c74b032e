"""Having a stored file analysed: by this machine's own processes, or by the engine API."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

OnProgress = Callable[[int, str], None]
"""Called with per cent done (0 to 100, never falling) and the name of the step that begins, on the event loop.

Plain and quick: it notes the progress for someone else to write down.
"""


class AnalyzerUnavailable(Exception):
    """Nobody could look at the file just now, and nothing is known about it: try again later."""


@dataclass(frozen=True)
class Analyzed:
    """What is known of a file once it has been analysed.

    Attributes:
        result: the engine's analysis as plain JSON data (`AnalysisOut` over the wire).
        waveform_row: 128 unsigned bytes, the loudest moment of each 128th of the file; 255 is full scale.
        peaks: 4096 signed bytes: 2048 minima, then 2048 maxima, of the channels' mean; 127 is full scale.
        preview_content_type: of the object now under the preview's key.
        preview_size: its size in bytes.
        vibe: the sound in a few words.
    """

    result: dict[str, Any]
    waveform_row: bytes
    peaks: bytes
    preview_content_type: str
    preview_size: int
    vibe: str


class Analyzer(Protocol):
    """Turns a stored file into what is known of it. Whoever calls this touches no file and no audio."""

    async def analyze(self, file_key: str, preview_key: str, on_progress: OnProgress) -> Analyzed:
        """Analyse the object under `file_key` and store a preview that browsers play under `preview_key`.

        What stood under `preview_key` is replaced; when this raises, there may be a preview or none.
        Give each attempt its own key if an attempt given up for dead must not touch the result of a later one.
        Cancelling stops the analysis at once and leaves no temporary file.

        Raises:
            AudioError: the file itself is at fault (its `code` and `message` are for its owner). Another attempt
                would end the same; with `file-not-found` the object is not in storage.
            AnalyzerUnavailable: the engine, the storage or the connection is; the file may be fine.
        """
        ...
