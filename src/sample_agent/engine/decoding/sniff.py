"""What kind of audio a file is, judged by its first bytes and never by its name."""

import re
from mmap import mmap
from typing import Literal

AudioFormat = Literal["wav", "aiff", "flac", "mp3", "ogg", "opus", "m4a"]

SNIFF_BYTES = 4096
"""As many bytes as `sniff_format` ever looks at."""

_SYNC = re.compile(rb"\xff[\xe2-\xff]")

# Brands that MP4 audio carries (ISO 14496-12 file type box). The generic ones are also on video files;
# those are told apart by the tracks, when the movie box is in reach.
_AUDIO_BRANDS = frozenset({b"M4A ", b"M4B ", b"M4P ", b"F4A ", b"F4B "})
_GENERIC_BRANDS = frozenset({b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"dash", b"3gp4", b"3gp5"})


def sniff_format(head: bytes) -> AudioFormat | None:
    """The audio format that the first bytes of a file announce, or None.

    Args:
        head: the first bytes of the file, ideally `SNIFF_BYTES` of them; more are ignored.

    AAC counts as "m4a" whether it comes in MP4 or as a bare ADTS stream.
    """
    head = head[:SNIFF_BYTES]
    if head[:4] in (b"RIFF", b"RIFX", b"RF64", b"BW64") and head[8:12] == b"WAVE":
        return "wav"
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return "aiff"
    if head[:4] == b"fLaC":
        return "flac"
    if head[:4] == b"OggS":
        return _sniff_ogg(head)
    if head[4:8] == b"ftyp":
        return "m4a" if _is_mp4_audio(head) else None
    return _sniff_frames(head)


def id3_size(head: bytes) -> int:
    """Bytes taken by an ID3v2 tag at the start of `head` (0 when there is none)."""
    if head[:3] != b"ID3" or len(head) < 10 or any(byte & 0x80 for byte in head[6:10]):
        return 0
    size = (head[6] << 21) | (head[7] << 14) | (head[8] << 7) | head[9]
    footer = 10 if head[5] & 0x10 else 0
    return 10 + size + footer


def _sniff_ogg(head: bytes) -> AudioFormat | None:
    if len(head) < 27:
        return None
    first_packet = head[27 + head[26] :]
    if first_packet.startswith(b"OpusHead"):
        return "opus"
    if first_packet.startswith((b"\x01vorbis", b"\x7fFLAC", b"Speex   ")):
        return "ogg"
    return None


def _sniff_frames(head: bytes) -> AudioFormat | None:
    start = id3_size(head)
    if start:
        # The tag holds a cover picture more often than not: the audio lies beyond what we see.
        # FLAC and AAC behind an ID3 tag exist, but an MP3 is what it announces.
        rest = head[start:]
        if rest[:4] == b"fLaC":
            return "flac"
        return "m4a" if _is_adts_frame(rest) else "mp3"
    # Some encoders and rippers leave zeros before the first frame.
    rest = head.lstrip(b"\x00")
    if _is_adts_frame(rest):
        return "m4a"
    # Rubbish before the first frame, as a cut out of a stream has, takes two frames to be believed.
    return "mp3" if _is_mpeg_frame(rest) or first_mpeg_frame(head, 0, len(head)) is not None else None


def _is_adts_frame(data: bytes) -> bool:
    """Whether `data` starts with an ADTS header and, if in reach, the next header follows where it says."""
    if not _is_adts_header(data):
        return False
    length = ((data[3] & 0x03) << 11) | (data[4] << 3) | (data[5] >> 5)
    if length < 8:
        return False
    # A packet may be longer than what we see of the file; then its header has to do.
    following = data[length : length + 7]
    return _is_adts_header(following) if following else len(data) in (length, SNIFF_BYTES)


def _is_adts_header(data: bytes) -> bool:
    return len(data) >= 7 and data[0] == 0xFF and data[1] & 0xF6 == 0xF0 and (data[2] >> 2) & 0x0F < 13


def _is_mpeg_frame(data: bytes) -> bool:
    """Whether `data` starts with an MPEG audio frame that ends the file or is followed by a second one."""
    length = mpeg_frame_length(data)
    return length is not None and (len(data) == length or mpeg_frame_length(data[length : length + 4]) is not None)


# ISO 11172-3 and 13818-3: kbit/s by (MPEG-1?, layer), then by index.
_BITRATES: dict[tuple[bool, int], tuple[int, ...]] = {
    (True, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_SAMPLE_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}


def mpeg_frame_length(data: bytes) -> int | None:
    """Length in bytes of the MPEG audio frame whose header starts `data`; None if it is no such header."""
    if len(data) < 4 or data[0] != 0xFF or data[1] & 0xE0 != 0xE0:
        return None
    version, layer = (data[1] >> 3) & 3, 4 - ((data[1] >> 1) & 3)
    bitrate_index, rate_index, padding = data[2] >> 4, (data[2] >> 2) & 3, (data[2] >> 1) & 1
    if version == 1 or layer == 4 or bitrate_index in (0, 15) or rate_index == 3:
        return None
    first_version = version == 3
    bitrate = _BITRATES[(first_version, layer)][bitrate_index - 1] * 1000
    sample_rate = _SAMPLE_RATES[version][rate_index]
    if layer == 1:
        return (12 * bitrate // sample_rate + padding) * 4
    samples_per_byte = 144 if first_version or layer == 2 else 72
    return samples_per_byte * bitrate // sample_rate + padding


def first_mpeg_frame(data: bytes | mmap, at: int, reach: int) -> int | None:
    """The first of `reach` places from `at` on where two MPEG audio frames of one kind follow each other."""
    for match in _SYNC.finditer(data, at, min(at + reach, len(data))):
        start = match.start()
        length = mpeg_frame_length(data[start : start + 4])
        following = data[start + length : start + length + 4] if length else b""
        # Version, layer and sample rate stay the same throughout.
        if (
            mpeg_frame_length(following)
            and following[1] == data[start + 1]
            and not (following[2] ^ data[start + 2]) & 12
        ):
            return start
    return None


def _is_mp4_audio(head: bytes) -> bool:
    size = int.from_bytes(head[:4], "big")
    brand = head[8:12]
    if brand in _AUDIO_BRANDS:
        return True
    brands = {brand, *(head[at : at + 4] for at in range(16, min(size, len(head)), 4))}
    if not brands & (_AUDIO_BRANDS | _GENERIC_BRANDS):
        return False
    # A video track names its handler "vide". Where the movie box is out of reach the decoder decides.
    return b"hdlr" not in head or b"vide" not in head
