"""Audio analysis: a file or an array in, frozen value objects out. No database, no web, no settings.

The analysis is loaded when it is first asked for, so that whoever only decodes does not wait for it.
"""

from typing import TYPE_CHECKING, Any

from sample_agent.engine.decoding.decode import Audio, decode
from sample_agent.engine.decoding.sniff import AudioFormat, sniff_format
from sample_agent.engine.errors import AUDIO_ERROR_CODES, AudioError

if TYPE_CHECKING:
    from sample_agent.engine.analysis import ENGINE_VERSION, Analysis, analyze_file, analyze_samples
    from sample_agent.engine.level.waveform import Waveform, waveform_peaks
    from sample_agent.engine.preview import PreviewInfo, render_preview

__all__ = [
    "AUDIO_ERROR_CODES",
    "ENGINE_VERSION",
    "Analysis",
    "Audio",
    "AudioError",
    "AudioFormat",
    "PreviewInfo",
    "Waveform",
    "analyze_file",
    "analyze_samples",
    "decode",
    "render_preview",
    "sniff_format",
    "waveform_peaks",
]

_LATER = {
    "analysis": ("ENGINE_VERSION", "Analysis", "analyze_file", "analyze_samples"),
    "preview": ("PreviewInfo", "render_preview"),
    "level.waveform": ("Waveform", "waveform_peaks"),
}


def __getattr__(name: str) -> Any:
    from importlib import import_module

    for module, names in _LATER.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
