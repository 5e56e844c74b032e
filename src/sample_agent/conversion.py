"""From any audio file to one the SP-404MK2 reads: `engine` decodes, `sp404` prepares and writes.

Stands beside those two and on nothing else, so that a worker process that converts loads no more than it needs.
"""

from __future__ import annotations

from pathlib import Path

from sample_agent.engine import AudioError
from sample_agent.engine.decoding.decode import open_audio
from sample_agent.sp404.formats.smp import write_smp
from sample_agent.sp404.formats.wav import write_wav_blocks
from sample_agent.sp404.sound.prepare import NothingToPrepareError, Preparation, Treatment, Writer, write_prepared
from sample_agent.sp404.sound.stretch import TooLongToStretchError


def convert_to_wav(source: str | Path, destination: str | Path, treatment: Treatment | None = None) -> Preparation:
    """Write the sound in `source` to `destination` as canonical 48 kHz 16-bit WAV; what was done to it.

    Block by block, so that a long file takes no more memory. Raises AudioError when the file cannot be decoded or holds
    no sound.
    """
    return _convert(source, Path(destination), treatment, write_wav_blocks)


def convert_to_smp(source: str | Path, destination: str | Path, treatment: Treatment | None = None) -> Preparation:
    """As `convert_to_wav`, with the same samples in a project's own format."""
    return _convert(source, Path(destination), treatment, write_smp)


def _convert(source: str | Path, destination: Path, treatment: Treatment | None, write: Writer) -> Preparation:
    with open_audio(source) as stream, destination.open("wb") as file:
        try:
            return write_prepared(
                file,
                stream.blocks(),
                stream.sample_rate,
                treatment=treatment,
                write=write,
                scratch_dir=destination.parent,
            )
        except NothingToPrepareError as error:
            raise AudioError("empty-audio", str(error)) from error
        except TooLongToStretchError as error:
            raise AudioError("too-long", str(error)) from error
