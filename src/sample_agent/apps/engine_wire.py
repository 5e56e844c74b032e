"""What goes in and out of the engine API, and the problems it names."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from sample_agent.core.errors import Problem
from sample_agent.engine import AudioError

Tier = Literal["free", "pro", "enterprise"]


class Options(BaseModel):
    """What to do beside the analysis."""

    model_config = ConfigDict(extra="forbid")

    ai_analysis: bool = Field(False, description="describe the sound in words, too")
    model: str | None = Field(
        None, max_length=200, description="who should describe it; without a remote model the local describer does"
    )
    export_sp404: bool = Field(False, description="convert to 48 kHz, 16-bit WAV and PUT that to `upload_url`")
    upload_url: str | None = Field(
        None, max_length=8192, description="pre-signed PUT that takes the converted WAV (audio/wav) and creates it"
    )
    waveform: bool = Field(False, description="answer with the outline and the spectrogram of the sound")
    preview_upload_url: str | None = Field(
        None,
        max_length=8192,
        description="pre-signed PUT that takes a preview every browser plays (audio/flac or audio/mpeg) and creates it",
    )
    filename: str = Field("", max_length=1024, description="what the owner called the file: names give hints")


class ProcessRequest(BaseModel):
    """A file to analyse. `user_id` and `tier` are only noted in the log."""

    model_config = ConfigDict(extra="forbid")

    file_url: str = Field(max_length=8192, description="pre-signed URL of the file; its host has to be allowed")
    user_id: str | None = Field(None, max_length=100)
    tier: Tier | None = None
    options: Options = Options()


class AudioFeatures(BaseModel):
    """The engine's analysis: these fields and all that `Analysis.to_dict` has."""

    model_config = ConfigDict(extra="allow")

    bpm: float | None = Field(description="beats per minute; null for one-shots and for what does not repeat")
    musical_key: str | None = Field(description='with sharps, "m" for minor: "F#m"; null without enough pitch')
    spectral_centroid: float = Field(description="Hz")
    duration: float = Field(description="seconds")
    sample_rate: int = Field(description="Hz")


class Description(BaseModel):
    """The sound in words, and who wrote them."""

    text: str
    model: str


class Outline(BaseModel):
    """The outline of the sound, base64.

    `row`: 128 unsigned bytes, 255 at the file's own peak. `peaks`: 2048 minima, then 2048 maxima, signed bytes.
    `close_peaks`: the same eight times as fine; null for a file so short that `peaks` show all there is.
    """

    row: str
    peaks: str
    close_peaks: str | None


class SentFile(BaseModel):
    """A file that was sent to the URL given for it."""

    content_type: str
    size: int = Field(description="bytes")


class ConvertedFile(SentFile):
    """The WAV for the SP-404MK2, and what was done to the sound."""

    channels: int
    frames: int
    gain_db: float = Field(description="0 or negative: how far a sound that would clip was turned down")
    truncated: bool = Field(description="whether it was longer than the unit takes")


class ProcessResponse(BaseModel):
    """The result. `cost` in US dollars, `processing_time` in seconds."""

    success: Literal[True] = True
    audio_features: AudioFeatures
    ai_analysis: Description | None
    cost: float
    model: str | None
    tokens_input: int
    tokens_output: int
    processing_time: float
    waveform: Outline | None = None
    spectrogram: str | None = Field(None, description="PNG, base64: time across, pitch upwards in octaves")
    preview: SentFile | None = None
    sp404: ConvertedFile | None = None


def audio_features(features: dict[str, Any]) -> AudioFeatures:
    """The analysis, with the figures most readers look for at its top."""
    return AudioFeatures(
        **features,
        bpm=features["tempo"]["bpm"] if features["tempo"] else None,
        musical_key=features["key"]["key"] if features["key"] else None,
        spectral_centroid=features["spectral"]["centroid_hz"],
    )


class AudioProblem(Problem):
    """The file cannot be analysed, for a reason that lies in the file."""

    status, code, title = 422, "audio-not-usable", "The audio cannot be used"
    next_step = "Check that the file plays, then send it again."


class AudioFileNotFound(AudioProblem):
    """There is no file to analyse."""

    code, title = "file-not-found", "There is no such file"


class UnsupportedFormat(AudioProblem):
    """The content of the file is none of WAV, AIFF, FLAC, MP3, OGG, Opus and M4A, whatever its name says."""

    code, title = "unsupported-format", "Not an audio file we can read"
    next_step = "Convert the file to WAV, AIFF, FLAC, MP3, OGG, Opus or M4A."


class CorruptAudio(AudioProblem):
    """The file says what it is, but its content cannot be decoded."""

    code, title = "corrupt-audio", "The audio is damaged"
    next_step = "Export or copy the file again."


class EmptyAudio(AudioProblem):
    """The file holds no sound at all: no bytes, or not one sample."""

    code, title = "empty-audio", "The audio is empty"
    next_step = "Check that the file was exported or copied completely."


class AudioTooLong(AudioProblem):
    """The sound is longer than one analysis takes, whatever the size of the file."""

    code, title = "too-long", "The audio is too long"
    next_step = "Cut the file into shorter ones."


class AnalysisTimeout(AudioProblem):
    """The analysis of this file did not end in the time one file may take."""

    code, title = "analysis-timeout", "The analysis took too long"


class TooMuchMemory(AudioProblem):
    """The analysis of this file needs more memory than one file may take."""

    code, title = "too-much-memory", "The analysis needs too much memory"


class AnalysisCrashed(AudioProblem):
    """The file made its decoder crash. It ran in a process of its own; nothing else was harmed."""

    code, title = "analysis-crashed", "The analysis crashed"


class AnalysisFailed(AudioProblem):
    """The analysis of this file failed in a way we did not expect; it is in our log."""

    code, title = "analysis-failed", "The analysis failed"
    next_step = "Send us the request id."


_KINDS = {kind.code: kind for kind in AudioProblem.__subclasses__()}


def audio_problem(error: AudioError) -> AudioProblem:
    """The engine's verdict on a file as HTTP tells it."""
    return _KINDS.get(error.code, AudioProblem)(error.message)
