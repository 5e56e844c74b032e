"""WAV, AIFF, FLAC, MP3, OGG and Opus through libsndfile, with a second decoder behind it for what is damaged."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from sample_agent.engine.decoding.containers import read_claim
from sample_agent.engine.decoding.flac import decode_whole_flac
from sample_agent.engine.decoding.lenient import open_leniently
from sample_agent.engine.decoding.mpeg import inspect_mpeg
from sample_agent.engine.decoding.ogg import inspect_ogg
from sample_agent.engine.decoding.sniff import AudioFormat
from sample_agent.engine.decoding.stream import (
    BLOCK_FRAMES,
    DAMAGED,
    UNFINISHED,
    AudioStream,
    Block,
    DecodingFailed,
    corrupt,
    cut,
)

if TYPE_CHECKING:
    import soundfile

_LARGEST = float(np.finfo(np.float32).max)


def open_sndfile(file: BinaryIO, head: bytes, audio_format: AudioFormat, max_seconds: float) -> AudioStream:
    """Open any format but M4A; `head` are the file's first bytes.

    Raises:
        AudioError: "corrupt-audio" when neither decoder reads it.
    """
    if audio_format == "flac" and (whole := decode_whole_flac(file, head)):
        samples, rate = whole
        blocks = (samples[start : start + BLOCK_FRAMES] for start in range(0, len(samples), BLOCK_FRAMES))
        return AudioStream(audio_format, rate, samples.shape[1], len(samples), blocks, max_seconds)
    import soundfile

    claimed, warnings, damaged = _inspect(file, audio_format)
    # libsndfile gives up on an MP3 a kilobyte after the damage; the other decoder finds the next frame.
    salvaged = open_leniently(file, audio_format) if damaged and audio_format == "mp3" else None
    if salvaged is None:
        file.seek(0)
        try:
            # By descriptor: libsndfile must judge by content, and its wrapper trusts some extensions.
            sound = soundfile.SoundFile(file.fileno(), closefd=False)
        except soundfile.LibsndfileError as error:
            salvaged, warnings = open_leniently(file, audio_format), [DAMAGED]
            if salvaged is None:
                raise corrupt(audio_format) from error
    if salvaged is not None:
        rate, channels, source = salvaged.sample_rate, salvaged.channels, salvaged.blocks
        return AudioStream(audio_format, rate, channels, None, source, max_seconds, warnings)
    if audio_format == "flac" and 0 < sound.frames < 2**62:
        claimed = sound.frames
    source = _read(sound, file, audio_format, warnings)
    return AudioStream(audio_format, sound.samplerate, sound.channels, claimed, source, max_seconds, warnings)


def _inspect(file: BinaryIO, audio_format: AudioFormat) -> tuple[int | None, list[str], bool]:
    """Length by the header, what is wrong so far, and whether it is damage."""
    if audio_format == "mp3":
        mpeg = inspect_mpeg(file)
        return mpeg.claimed_frames, [DAMAGED] if mpeg.damaged else [], mpeg.damaged
    if audio_format in ("ogg", "opus"):
        ogg = inspect_ogg(file)
        return None, [DAMAGED] if ogg.damaged else [] if ogg.ended else [UNFINISHED], ogg.damaged
    claim = read_claim(file)
    return claim.frames if claim else None, [], False


def _read(
    sound: "soundfile.SoundFile", file: BinaryIO, audio_format: AudioFormat, warnings: list[str]
) -> Iterator[Block]:
    import soundfile

    with sound:
        frames = 0
        failure: soundfile.LibsndfileError | None = None
        try:
            while len(block := _next_block(sound)):
                frames += len(block)
                yield block
                if len(block) < BLOCK_FRAMES:
                    break
        except soundfile.LibsndfileError as error:
            failure = error
        if frames and failure is None:
            return
        salvaged = open_leniently(file, audio_format)
        if salvaged and (salvaged.sample_rate, salvaged.channels) == (sound.samplerate, sound.channels):
            if DAMAGED not in warnings:
                warnings.append(DAMAGED)
            yield from cut(salvaged.blocks, frames)
        elif failure is not None and frames:
            raise DecodingFailed(str(failure)) from failure


def _next_block(sound: "soundfile.SoundFile") -> Block:
    block: Block
    if sound.subtype != "DOUBLE":
        block = sound.read(BLOCK_FRAMES, dtype="float32", always_2d=True)
        return block
    # What only a double can hold would become infinite, which is silenced: it is to be limited like all that is loud.
    wide = sound.read(BLOCK_FRAMES, dtype="float64", always_2d=True)
    np.clip(wide, -_LARGEST, _LARGEST, out=wide, where=np.isfinite(wide))
    block = wide.astype(np.float32)
    return block
