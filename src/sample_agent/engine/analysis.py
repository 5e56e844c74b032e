"""Everything the engine knows about a file, from one pass over it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from operator import index
from pathlib import Path
from typing import Any

import numpy as np

from sample_agent.engine.decoding.decode import open_audio
from sample_agent.engine.decoding.sniff import AudioFormat
from sample_agent.engine.decoding.stream import (
    BLOCK_FRAMES,
    MAX_AMPLITUDE,
    MAX_CHANNELS,
    MAX_SAMPLE_RATE,
    MAX_SECONDS,
    MIN_SAMPLE_RATE,
)
from sample_agent.engine.errors import AudioError
from sample_agent.engine.level.clipping import Clipping
from sample_agent.engine.level.envelope import Envelope, measure_envelope
from sample_agent.engine.level.loudness import Loudness
from sample_agent.engine.level.silence import Silence, measure_silence
from sample_agent.engine.level.stereo import MonoCompatibility
from sample_agent.engine.level.waveform import DETAIL_POINTS, ZOOM_POINTS, Waveform
from sample_agent.engine.listening import EXCERPT_SECONDS, Listening
from sample_agent.engine.metadata.hints import Hints, read_hints
from sample_agent.engine.metadata.tags import read_tags
from sample_agent.engine.per_frame import PerFrame, describe_frames
from sample_agent.engine.rhythm.onsets import Onsets, find_onsets, onset_envelopes
from sample_agent.engine.rhythm.slices import Slice, cut_slices
from sample_agent.engine.rhythm.tempo import Ranker, Tempo, estimate_tempo
from sample_agent.engine.signal.frames import Floats
from sample_agent.engine.sound.descriptors import describe
from sample_agent.engine.sound.embedding import embed
from sample_agent.engine.sound.embedding import load_model as load_embedding
from sample_agent.engine.sound.fingerprint import Fingerprint, fingerprint
from sample_agent.engine.sound.kind import Kind, estimate_kind
from sample_agent.engine.sound.kind import load_model as load_kind
from sample_agent.engine.sound.sound_class import DRUMS, SoundClass, classify
from sample_agent.engine.sound.sound_class import load_model as load_class
from sample_agent.engine.timbre.spectral import Spectral
from sample_agent.engine.timbre.spectrogram import Spectrogram
from sample_agent.engine.tonality.key import Key, estimate_key
from sample_agent.engine.tonality.key import load_nets as load_key
from sample_agent.engine.tonality.pitch import Pitch, estimate_pitch
from sample_agent.engine.tonality.pitch import load_weights as load_pitch

ENGINE_VERSION = "4"
"""Rises whenever the same bytes may give another result."""

Progress = Callable[[int, str], None]
"""Called with percent done (0 to 100) and the name of the step that begins."""

_ZOOMED_FRAMES = 8 * ZOOM_POINTS
_JSON_ABLE = frozenset({str, int, bool, type(None)})
_ARRAYS = frozenset({"waveform", "waveform_zoom", "spectrogram", "per_frame", "fingerprint"})


@dataclass(frozen=True, eq=False)
class Analysis:
    """The descriptors of one file.

    Attributes:
        engine_version: `ENGINE_VERSION` of the engine that made it.
        format: what the file is, or None when samples were given instead of a file.
        duration: in seconds; `frames`: the same in samples per channel.
        tempo: None for one-shots and for what does not repeat.
        key: None for what has too little pitch, and for single hits of drums.
        pitch: the note of a one-shot; None for what has none, and for everything longer.
        onsets: when sounds start, in seconds.
        slices: pieces for pads, at most sixteen.
        dc_offset: mean of the channel farthest off zero, full scale being 1.
        mono_compatibility: None unless there are two channels.
        sound_class: kick, bass, drum loop, …; None for silence.
        hints: what the file's name and tags say.
        embedding: a vector for similarity, float32, shape (124,); see `embedding.similarity`.
        fingerprint: to find the same recording again; see `fingerprint.same_sound`.
        waveform: outline of the downmix in 2048 points; `waveform_row` in 128.
        waveform_zoom: outline in 16,384 points; of files under three seconds in 2048, which are fine enough there.
        per_frame: descriptors over time, when they were asked for.
        warnings: what was wrong with the file, in words for its owner.
    """

    engine_version: str
    format: AudioFormat | None
    duration: float
    frames: int
    sample_rate: int
    channels: int
    tempo: Tempo | None
    key: Key | None
    pitch: Pitch | None
    kind: Kind
    sound_class: SoundClass | None
    loudness: Loudness
    envelope: Envelope
    silence: Silence
    clipping: Clipping
    dc_offset: float
    mono_compatibility: MonoCompatibility | None
    spectral: Spectral
    onsets: tuple[float, ...]
    slices: tuple[Slice, ...]
    hints: Hints
    embedding: Floats
    fingerprint: Fingerprint
    waveform: Waveform
    waveform_zoom: Waveform
    spectrogram: Spectrogram
    warnings: tuple[str, ...]
    per_frame: PerFrame | None = None

    @property
    def waveform_row(self) -> bytes:
        """The outline in 128 unsigned bytes."""
        return self.waveform.row()

    def to_dict(self) -> dict[str, Any]:
        """The analysis as JSON-able data, without outlines, picture and frames."""
        return {name: _plain(value) for name, value in vars(self).items() if name not in _ARRAYS}


def load_models() -> None:
    """Read all weights now rather than with the first file.

    Raises:
        RuntimeError: some are missing or damaged.
    """
    for load in (Ranker.load, load_key, load_kind, load_class, load_embedding, load_pitch):
        load()


def analyze_file(
    path: str | Path,
    *,
    filename: str | None = None,
    max_seconds: float = MAX_SECONDS,
    per_frame: bool = False,
    on_progress: Progress | None = None,
) -> Analysis:
    """Analyse one audio file of any supported format.

    Args:
        path: the file.
        filename: the name its owner gave it, to read hints from; by default that of `path`.
        max_seconds: longest audio accepted.
        per_frame: keep the descriptors of every frame, too.
        on_progress: called as steps begin.

    Raises:
        AudioError: the file cannot be analysed; see `open_audio`.
    """
    tell = on_progress or _ignore
    tell(0, "decoding")
    with open_audio(path, max_seconds=max_seconds) as stream:
        listening = Listening(stream.sample_rate, stream.channels, every_frame=per_frame)
        expected = stream.claimed_frames or 0
        for block in stream.blocks():
            listening.feed(block)
            if expected:
                tell(min(80, 80 * listening.frames // expected), "decoding")
        hints = read_hints(filename or Path(path).name, read_tags(path, stream.format))
        return _conclude(listening, stream.format, hints, stream.warnings, tell, per_frame=per_frame)


def analyze_samples(
    samples: Floats,
    sample_rate: int,
    *,
    filename: str = "",
    per_frame: bool = False,
    on_progress: Progress | None = None,
) -> Analysis:
    """Analyse samples already in memory.

    Args:
        samples: floats, shape (frames, channels) or (frames,), full scale at 1.0, finite and below 36 dB over it.
        sample_rate: in Hz, a whole number.
        filename: a name to read hints from.
        per_frame: keep the descriptors of every frame, too.
        on_progress: called as steps begin.

    Raises:
        AudioError: "empty-audio" without a single sample, "unsupported-format" for a sample rate, number of channels,
            shape or type of samples that no audio has, "corrupt-audio" for samples that are not finite or far too high.
    """
    block = _checked(samples, sample_rate)
    listening = Listening(sample_rate, block.shape[1], every_frame=per_frame)
    for start in range(0, len(block), BLOCK_FRAMES):
        listening.feed(block[start : start + BLOCK_FRAMES])
    return _conclude(listening, None, read_hints(filename), (), on_progress or _ignore, per_frame=per_frame)


def _checked(samples: Floats, sample_rate: int) -> Floats:
    """The samples as float32, shape (frames, channels)."""
    try:
        known = MIN_SAMPLE_RATE <= index(sample_rate) <= MAX_SAMPLE_RATE
    except TypeError:
        known = False
    if not known:
        message = (
            f"The sample rate is {sample_rate}; whole numbers from {MIN_SAMPLE_RATE} to {MAX_SAMPLE_RATE} Hz work."
        )
        raise AudioError("unsupported-format", message)
    block = np.asarray(samples)
    if block.dtype.kind != "f":
        raise AudioError("unsupported-format", f"Samples are {block.dtype}; they have to be floats, full scale at 1.0.")
    if block.ndim not in (1, 2):
        raise AudioError(
            "unsupported-format", f"Samples have {block.ndim} dimensions; one, or frames by channels, work."
        )
    block = block[:, None] if block.ndim == 1 else block
    if not block.size:
        raise AudioError("empty-audio", "There are no samples.")
    if block.shape[1] > MAX_CHANNELS:
        raise AudioError("unsupported-format", f"{block.shape[1]} channels; up to {MAX_CHANNELS} work.")
    lowest, highest = float(block.min()), float(block.max())
    if not (lowest >= -MAX_AMPLITUDE and highest <= MAX_AMPLITUDE):
        raise AudioError("corrupt-audio", "There are samples that are not finite, or far beyond full scale.")
    return block.astype(np.float32, copy=False)


def _conclude(
    listening: Listening,
    audio_format: AudioFormat | None,
    hints: Hints,
    warnings: Iterable[str],
    tell: Progress,
    *,
    per_frame: bool,
) -> Analysis:
    tell(80, "loudness")
    listening.finish()
    tell(85, "tempo")
    heard = min(listening.duration, EXCERPT_SECONDS)
    envelopes = onset_envelopes(listening.mel, listening.mel_rate)
    onsets = find_onsets(envelopes, listening.cells)
    descriptors = describe(listening.mel, listening.mel_rate, listening.cells, listening.tonal)
    silence = measure_silence(listening.outline_peak(), listening.duration)
    kind = estimate_kind(descriptors, listening.duration - silence.start - silence.end)
    tempo = None
    if kind.may_have_tempo(len(onsets.time)):
        tempo = estimate_tempo(listening.mel, envelopes, heard, len(onsets.time), hints.tempo)
    tell(95, "key")
    sound_class = classify(descriptors)
    one_shot = kind.kind == "one-shot" and listening.has_signal
    drum = one_shot and sound_class is not None and sound_class.name in DRUMS
    key = None if drum else estimate_key(listening.tonal, hints.key)
    pitch = _pitch(listening) if one_shot else None
    tell(98, "waveform")
    zoom = listening.waveform.at(ZOOM_POINTS if listening.frames >= _ZOOMED_FRAMES else DETAIL_POINTS)
    return Analysis(
        engine_version=ENGINE_VERSION,
        format=audio_format,
        duration=listening.duration,
        frames=listening.frames,
        sample_rate=listening.sample_rate,
        channels=listening.channels,
        tempo=tempo,
        key=key,
        pitch=pitch,
        kind=kind,
        sound_class=sound_class,
        loudness=listening.loudness,
        envelope=measure_envelope(listening.cells),
        silence=silence,
        clipping=listening.clipping,
        dc_offset=listening.dc_offset,
        mono_compatibility=listening.mono_compatibility,
        spectral=listening.spectral,
        onsets=tuple(onsets.time.tolist()),
        slices=_slices(listening, onsets, None if kind.kind == "one-shot" else tempo, silence),
        hints=hints,
        embedding=embed(descriptors),
        fingerprint=fingerprint(listening.mel, listening.mel_rate, listening.tonal),
        waveform=zoom.at(DETAIL_POINTS) if len(zoom.minimum) > DETAIL_POINTS else zoom,
        waveform_zoom=zoom,
        spectrogram=listening.spectrogram,
        warnings=(*warnings, *_remarks(listening)),
        per_frame=describe_frames(listening, envelopes) if per_frame else None,
    )


def _pitch(listening: Listening) -> Pitch | None:
    cells = listening.cells.since(listening.head_start // listening.cells.size)
    return estimate_pitch(listening.head, listening.sample_rate, cells) if len(cells.energy) else None


def _slices(listening: Listening, onsets: Onsets, tempo: Tempo | None, silence: Silence) -> tuple[Slice, ...]:
    bpm = tempo.bpm if tempo else None
    # A head that begins later has other samples than those that slices are counted by.
    head = listening.head[: 0 if listening.head_start else None]
    return cut_slices(onsets, head, listening.frames, listening.sample_rate, bpm, silence)


def _remarks(listening: Listening) -> Iterable[str]:
    if not listening.has_signal:
        yield "The file is silent."
    elif not listening.mel.any() and listening.duration > EXCERPT_SECONDS:
        yield f"The first {EXCERPT_SECONDS / 60:.0f} minutes are silent; onsets, slices and class are told from these."
    if listening.cancels:
        yield "The channels cancel each other out in mono; one of them was analysed."


def _ignore(percent: int, step: str) -> None:
    pass


def _plain(value: Any) -> Any:
    """JSON-able data from frozen dataclasses, with numbers no finer than they are known: six digits."""
    kind = type(value)
    if kind is float:
        return float(f"{value:.6g}")
    if kind in _JSON_ABLE:
        return value
    if kind is tuple:
        return [_plain(inner) for inner in value]
    if kind is np.ndarray:
        return _rounded(value.ravel())
    inside = value if isinstance(value, dict) else vars(value)
    return {name: _plain(inner) for name, inner in inside.items()}


def _rounded(values: Floats) -> list[float]:
    """To six digits, all at once."""
    exact = values.astype(np.float64)
    scale = 10.0 ** (5 - np.floor(np.log10(np.maximum(np.abs(exact), 1e-15))))
    rounded: list[float] = (np.rint(exact * scale) / scale).tolist()
    return rounded
