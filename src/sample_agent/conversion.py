"""From any audio file to one the SP-404MK2 reads: `engine` decodes, `sp404` prepares and writes.

Stands beside those two and on nothing else, so that a worker process that converts loads no more than it needs.
"""

from __future__ import annotations

from pathlib import Path

from sample_agent.engine import AudioError, decode
from sample_agent.sp404.prepare import NothingToPrepareError, Preparation, prepare
from sample_agent.sp404.wav import write_wav


def convert_to_wav(source: str | Path, destination: str | Path) -> Preparation:
    """Write the sound in `source` to `destination` as canonical 48 kHz 16-bit WAV; what was done to it.

    Raises AudioError when the file cannot be decoded or holds no sound.
    """
    audio = decode(source)
    try:
        prepared = prepare(audio.samples, audio.sample_rate)
    except NothingToPrepareError as error:
        raise AudioError("empty-audio", str(error)) from error
    with Path(destination).open("wb") as file:
        write_wav(file, prepared.pcm)
    return prepared.report
