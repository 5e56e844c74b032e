"""Audio analysis: a file or an array in, frozen value objects out. No database, no web, no settings."""

from sample_agent.engine.analysis import ENGINE_VERSION, Analysis, analyze_file, analyze_samples
from sample_agent.engine.decode import Audio, decode
from sample_agent.engine.errors import AUDIO_ERROR_CODES, AudioError
from sample_agent.engine.preview import PreviewInfo, render_preview
from sample_agent.engine.sniff import AudioFormat, sniff_format
from sample_agent.engine.waveform import Waveform, waveform_peaks

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
