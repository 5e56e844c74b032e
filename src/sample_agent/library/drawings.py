"""What is drawn of a sample and lies in storage beside its preview: the spectrogram, and an outline to look closer at.

Their keys follow from the preview's, so that whoever deletes the one deletes them all.
"""

from __future__ import annotations

from collections.abc import Sequence

from sample_agent.core.storage import ObjectMissing, Storage, StorageError
from sample_agent.library.analyzer import Analyzed, AnalyzerUnavailable


def keys_beside(preview_key: str) -> Sequence[str]:
    """The preview's own key and those of all that belongs to it."""
    return (preview_key, _spectrogram_key(preview_key), _outline_key(preview_key))


async def store_drawings(storage: Storage, preview_key: str, analyzed: Analyzed) -> None:
    """Put what an analysis drew in the place of what an earlier one did. Raises AnalyzerUnavailable."""
    try:
        await storage.put(_spectrogram_key(preview_key), analyzed.spectrogram, "image/png")
        if analyzed.close_peaks is None:
            await storage.delete(_outline_key(preview_key))
        else:
            await storage.put(_outline_key(preview_key), analyzed.close_peaks, "application/octet-stream")
    except StorageError as error:
        raise AnalyzerUnavailable(f"The drawings could not be stored: {error}") from error


async def read_spectrogram(storage: Storage, preview_key: str) -> bytes | None:
    """The picture as a PNG; None for what was analysed before there were pictures."""
    return await _read(storage, _spectrogram_key(preview_key))


async def read_close_peaks(storage: Storage, preview_key: str) -> bytes | None:
    """The peaks to look closer at, as in `Analyzed.close_peaks`; None when those of the analysis are all there are."""
    return await _read(storage, _outline_key(preview_key))


async def _read(storage: Storage, key: str) -> bytes | None:
    try:
        return await storage.read(key)
    except ObjectMissing:
        return None


def _spectrogram_key(preview_key: str) -> str:
    return f"{preview_key}.png"


def _outline_key(preview_key: str) -> str:
    return f"{preview_key}.peaks"
