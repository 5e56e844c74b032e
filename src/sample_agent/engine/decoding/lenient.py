"""A second try for damaged files: miniaudio plays on where libsndfile gives up on FLAC and MP3.

Its reader of Vorbis brings the process down on damaged headers. So Vorbis stays with libsndfile, which finds what lies
behind damage by itself; only a page that is cut short has to be mended for it.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from sample_agent.engine.decoding.ogg import with_last_page_mended
from sample_agent.engine.decoding.sniff import AudioFormat
from sample_agent.engine.signal.frames import Floats

_MAX_FILE_BYTES = 256 << 20
_BLOCK_FRAMES = 1 << 15


@dataclass(frozen=True)
class LenientAudio:
    """What a damaged file still gives; `blocks` has shape (frames, channels) and ends where nothing more comes."""

    sample_rate: int
    channels: int
    blocks: Iterator[Floats]


def open_leniently(file: BinaryIO, audio_format: AudioFormat) -> LenientAudio | None:
    """Open a FLAC, MP3 or Vorbis file that did not give all at the first try; None when this one fails, too."""
    if audio_format not in ("flac", "mp3", "ogg"):
        return None
    # An unbuffered file makes room for as much as it is asked for.
    length = file.seek(0, 2)
    file.seek(0)
    data = file.read(min(length, _MAX_FILE_BYTES))
    if audio_format in ("flac", "mp3"):
        return _through_miniaudio(data, audio_format)
    mended = with_last_page_mended(data)
    return _through_libsndfile(mended) if mended else None


def _through_miniaudio(data: bytes, audio_format: AudioFormat) -> LenientAudio | None:
    import miniaudio

    inspect = miniaudio.flac_get_info if audio_format == "flac" else miniaudio.mp3_get_info
    try:
        info = inspect(data)
        stream = miniaudio.stream_memory(
            data, miniaudio.SampleFormat.FLOAT32, info.nchannels, info.sample_rate, _BLOCK_FRAMES
        )
        first = np.frombuffer(next(stream, b""), np.float32)
    except miniaudio.DecodeError:
        return None
    if not len(first):
        return None

    def blocks() -> Iterator[Floats]:
        yield first.reshape(-1, info.nchannels)
        for samples in stream:
            yield np.frombuffer(samples, np.float32).reshape(-1, info.nchannels)

    return LenientAudio(info.sample_rate, info.nchannels, blocks())


def _through_libsndfile(data: bytes) -> LenientAudio | None:
    import soundfile

    try:
        sound = soundfile.SoundFile(io.BytesIO(data))
    except soundfile.LibsndfileError:
        return None

    def blocks() -> Iterator[Floats]:
        with sound:
            try:
                while len(block := sound.read(_BLOCK_FRAMES, dtype="float32", always_2d=True)):
                    yield block
            except soundfile.LibsndfileError:
                return

    return LenientAudio(sound.samplerate, sound.channels, blocks())
