"""One file of a unit, whichever it is: read, and written again with the same bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from sample_agent.sp404.errors import FormatError
from sample_agent.sp404.formats import pattern, pattern_chain, picture
from sample_agent.sp404.formats.padconf import Padconf
from sample_agent.sp404.formats.pattern import Pattern
from sample_agent.sp404.formats.pattern_chain import PatternChain
from sample_agent.sp404.formats.picture import Picture
from sample_agent.sp404.formats.smp import HEADER_BYTES, SmpHeader
from sample_agent.sp404.formats.sx import PAD_INFO_BYTES, PadInfo, SxPad
from sample_agent.sp404.formats.sx_wav import SX_HEADER_BYTES, SxWavHeader
from sample_agent.sp404.projects.content import FileContent, content_blocks, content_head, read_content
from sample_agent.sp404.projects.reading import LARGEST_PADCONF
from sample_agent.sp404.projects.recognize import Kind, recognize

DeviceFile = Padconf | SmpHeader | Pattern | PatternChain | Picture | PadInfo | SxPad | SxWavHeader | bytes
"""What a file says; of sounds the header; `bytes` of files whose meaning is not known."""

_WHOLE: dict[Kind, tuple[int, Callable[[bytes], DeviceFile]]] = {
    Kind.PADCONF: (LARGEST_PADCONF, Padconf.read),
    Kind.PATTERN: (pattern.MAX_FILE_BYTES, Pattern.read),
    Kind.CHAIN: (pattern_chain.MAX_FILE_BYTES, PatternChain.read),
    Kind.PICTURE: (picture.MAX_FILE_BYTES, Picture.read),
    Kind.PAD_INFO: (PAD_INFO_BYTES, PadInfo.read),
    Kind.PAD_RECORD: (PAD_INFO_BYTES, SxPad.read),
    Kind.STPINFO: (PAD_INFO_BYTES, bytes),
}
_SOUNDS: dict[Kind, tuple[int, Callable[[bytes, int], SmpHeader | SxWavHeader]]] = {
    Kind.SMP: (HEADER_BYTES, SmpHeader.read),
    Kind.SX_WAV: (SX_HEADER_BYTES, SxWavHeader.read),
}


def read_device_file(path: Path) -> DeviceFile:
    """What the file at `path` says. Raises `FormatError`, which names the file, and OSError."""
    kind = recognize(path)
    file = FileContent.of(path)
    try:
        if kind in _SOUNDS:
            size, read_header = _SOUNDS[kind]
            return read_header(content_head(file, size), file.size)
        if kind not in _WHOLE:
            raise FormatError(kind, "it is no single file")
        largest, read = _WHOLE[kind]
        return read(read_content(file, kind, largest))
    except FormatError as error:
        raise error.at(path) from None


def rewritten(path: Path) -> Iterator[bytes]:
    """The file at `path` decoded and encoded again, in blocks: the bytes it has. Raises as `read_device_file`.

    Sound passes through behind its header, so a long sample takes no memory.
    """
    read = read_device_file(path)
    yield read if isinstance(read, bytes) else read.to_bytes()
    if isinstance(read, SmpHeader | SxWavHeader):
        blocks = content_blocks(FileContent.of(path), "sound")
        yield next(blocks)[len(read.to_bytes()) :]
        yield from blocks
