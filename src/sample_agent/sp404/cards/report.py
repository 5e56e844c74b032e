"""What becomes of each sample on its way to the unit, before anything is written to a card: as data and in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from sample_agent.sp404.formats.smp import MAX_FRAMES
from sample_agent.sp404.formats.wav import SAMPLE_RATE
from sample_agent.sp404.names import SAMPLE_NAME_LIMIT
from sample_agent.sp404.sound.treatment import MIN_FRAMES, Preparation

INTERNAL_BYTES = 14 * 10**9
"""Room on the unit's own storage beside what it comes with, as owners report it; 16 GB in all."""

RemarkCode = Literal[
    "converted", "shortened", "padded", "renamed", "stretched", "mono", "trimmed", "gain",
    "turned-down", "faded", "offset", "repaired", "tempo", "out-of-reach", "chopped",
]  # fmt: skip


@dataclass(frozen=True)
class Remark:
    """One thing that was done, by its code and in words."""

    code: RemarkCode
    words: str


@dataclass(frozen=True)
class Item:
    """A sample that was prepared.

    Attributes:
        sample_id, original_name: whose it is.
        name: what the unit shows.
        path: its file, from the top of the card.
        pad: "A13", None when it is a file to be put on a pad by hand; reason: why it is there.
        size: of the file in bytes; sha256: its checksum.
        processing: what was done to the sound.
        remarks: what its owner should know of that.
    """

    sample_id: str
    original_name: str
    name: str
    path: str
    pad: str | None
    reason: str
    size: int
    sha256: str
    processing: Preparation
    remarks: tuple[Remark, ...]

    @property
    def seconds(self) -> float:
        """How long it plays."""
        return self.processing.frames / SAMPLE_RATE


@dataclass(frozen=True)
class LeftOut:
    """A sample that is not on the card, and why."""

    sample_id: str
    original_name: str
    reason: str


@dataclass(frozen=True)
class Report:
    """Everything that is to be known before a card is written.

    Attributes:
        title: name of the project or the collection.
        items: samples that are on it; left_out: those that are not.
        decisions: what was decided for all of them: the tempo, patterns, names.
        free_bytes: room on the card, when known.
    """

    title: str
    items: tuple[Item, ...]
    left_out: tuple[LeftOut, ...] = ()
    decisions: tuple[str, ...] = ()
    free_bytes: int | None = None
    extra_bytes: int = field(default=0, repr=False)

    @property
    def bytes(self) -> int:
        """Size of everything that is written."""
        return sum(item.size for item in self.items) + self.extra_bytes

    @property
    def seconds(self) -> float:
        """How long all samples play, one after the other."""
        return sum(item.seconds for item in self.items)

    @property
    def problems(self) -> tuple[str, ...]:
        """What does not fit, in words; nothing when everything does."""
        return tuple(_problems(self))

    def sentences(self) -> list[str]:
        """The report in plain words: the whole first, then what was done, then what was left out."""
        return list(_sentences(self))

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON values."""
        return {
            "title": self.title,
            "items": [{**asdict(item), "seconds": round(item.seconds, 3)} for item in self.items],
            "left_out": [asdict(each) for each in self.left_out],
            "decisions": list(self.decisions),
            "problems": list(self.problems),
            "bytes": self.bytes,
            "seconds": round(self.seconds, 3),
        }


def remarks(
    done: Preparation,
    *,
    name: str,
    original_name: str,
    gain_reason: str = "",
    tempo_words: str = "",
    out_of_reach: bool = False,
    chops: int = 0,
) -> tuple[Remark, ...]:
    """What the owner of a sample should know of its preparation, most important first."""
    return tuple(_remarks(done, gain_reason, tempo_words, out_of_reach, chops)) + (
        (Remark("renamed", f"{original_name!r} is called {name!r} on the unit"),)
        if _differs(name, original_name)
        else ()
    )


def _remarks(done: Preparation, gain_reason: str, tempo_words: str, out_of_reach: bool, chops: int) -> Iterator[Remark]:
    if done.truncated:
        yield Remark("shortened", f"cut at {_minutes(MAX_FRAMES)}, the longest the unit takes")
    if done.repaired_values:
        yield Remark("repaired", f"{done.repaired_values} damaged values became silence")
    if done.stretch != 1:
        yield Remark("stretched", f"stretched to {done.stretch:.0%} of its length")
    if out_of_reach:
        yield Remark("out-of-reach", "too long to stretch: BPM sync may play it in half or double time")
    if tempo_words:
        yield Remark("tempo", tempo_words)
    if done.padded_frames:
        yield Remark("padded", f"{_milliseconds(done.padded_frames)} of silence added, to {_milliseconds(MIN_FRAMES)}")
    if done.trimmed_start or done.trimmed_end:
        ends = (("start", done.trimmed_start), ("end", done.trimmed_end))
        cut = ", ".join(f"{_milliseconds(frames)} at the {end}" for end, frames in ends if frames)
        yield Remark("trimmed", f"silence cut off: {cut}")
    if abs(done.gain_db) >= 0.05:
        held_back = ", which is as far as it goes without clipping" if done.gain_held_back else ""
        if gain_reason:
            yield Remark("gain", f"{done.gain_db:+.1f} dB {gain_reason}{held_back}")
        else:
            yield Remark("turned-down", f"{done.gain_db:+.1f} dB, so that it does not clip")
    elif done.gain_held_back and gain_reason:
        yield Remark("gain", f"not made louder {gain_reason}: it would clip")
    if done.merged_to_mono:
        yield Remark("mono", "both channels were the same: made mono")
    if done.faded_in or done.faded_out:
        fades = (("in", done.faded_in), ("out", done.faded_out))
        yield Remark("faded", "faded " + ", ".join(f"{way} {_milliseconds(frames)}" for way, frames in fades if frames))
    if any(abs(offset) >= 1e-4 for offset in done.dc_offset):
        yield Remark("offset", "a constant offset taken away")
    if converted := _conversion(done):
        yield Remark("converted", converted)
    if chops:
        yield Remark("chopped", f"{chops} chop points set")


def _conversion(done: Preparation) -> str:
    steps = []
    if done.resampled:
        steps.append(f"{done.source_rate / 1000:g} kHz to 48 kHz")
    if done.folded:
        steps.append(f"{done.source_channels} channels to stereo")
    if done.dithered:
        steps.append("rounded to 16 bits with dither")
    return ", ".join(steps)


def _problems(report: Report) -> Iterator[str]:
    if report.bytes > INTERNAL_BYTES:
        yield f"{spoken_size(report.bytes)} are more than the unit stores (about {spoken_size(INTERNAL_BYTES)})."
    if report.free_bytes is not None and report.bytes > report.free_bytes:
        yield f"{spoken_size(report.bytes)} do not fit: {spoken_size(report.free_bytes)} are free."


def _sentences(report: Report) -> Iterator[str]:
    samples = _count(len(report.items), "sample")
    yield f"{report.title}: {samples}, {_spoken_time(report.seconds)}, {spoken_size(report.bytes)}."
    yield from report.decisions
    for code, say in _SUMMARIES.items():
        named = [item.name for item in report.items if any(remark.code == code for remark in item.remarks)]
        if named:
            yield f"{say.format(_count(len(named), 'sample'))}: {_listed(named)}."
    if report.left_out:
        yield f"Left out: {_count(len(report.left_out), 'sample')}."
        yield from (f"{each.original_name}: {each.reason}" for each in report.left_out)
    yield from report.problems


_SUMMARIES: dict[RemarkCode, str] = {
    "converted": "Converted {}",
    "shortened": f"Cut {{}} at {MAX_FRAMES // SAMPLE_RATE // 60} minutes, the longest the unit takes",
    "padded": "Padded {} with silence to a length the unit takes",
    "repaired": "Silenced damaged values in {}",
    "stretched": "Stretched {} so that BPM sync need not double or halve",
    "tempo": "Told the unit half or double the tempo of {}, which it can be set to",
    "out-of-reach": "Could not stretch {}, too long for it: BPM sync may double or halve",
    "trimmed": "Cut silence off {}",
    "gain": "Changed the level of {} as asked",
    "turned-down": "Turned down {} so that they do not clip",
    "mono": "Made {} mono, both channels being the same",
    "chopped": "Set chop points in {}",
    "renamed": f"Renamed {{}}, as names have to be plain, all different and of at most {SAMPLE_NAME_LIMIT} characters",
}


def _differs(name: str, original_name: str) -> bool:
    stem, _, extension = original_name.rpartition(".")
    return name not in (original_name, stem if extension.isalnum() and len(extension) <= 4 else original_name)


def _listed(names: list[str], most: int = 6) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _milliseconds(frames: int) -> str:
    milliseconds = frames * 1000 / SAMPLE_RATE
    if milliseconds >= 1000:
        return f"{milliseconds / 1000:.1f} s"
    return f"{milliseconds:.0f} ms" if milliseconds >= 1 else "less than 1 ms"


def _minutes(frames: int) -> str:
    return f"{frames / SAMPLE_RATE / 60:.0f} minutes"


def _spoken_time(seconds: float) -> str:
    return f"{seconds / 60:.1f} minutes" if seconds >= 120 else f"{seconds:.1f} seconds"


def spoken_size(size: int) -> str:
    """A number of bytes as people say it: "17.6 MB"."""
    for unit, scale in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= scale:
            return f"{size / scale:.1f} {unit}"
    return f"{size} bytes"
