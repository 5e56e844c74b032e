"""A second decoder for damaged files: miniaudio plays on where libsndfile gives up."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

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
    """Open a FLAC, MP3 or Vorbis file that the first decoder refused; None when this one refuses it, too."""
    import miniaudio

    inspect = {
        "flac": miniaudio.flac_get_info,
        "mp3": miniaudio.mp3_get_info,
        "ogg": miniaudio.vorbis_get_info,
    }.get(audio_format)
    if inspect is None:
        return None
    # An unbuffered file makes room for as much as it is asked for.
    length = file.seek(0, 2)
    file.seek(0)
    data = file.read(min(length, _MAX_FILE_BYTES))
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
