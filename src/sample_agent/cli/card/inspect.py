"""`sample-agent card inspect`: what stands in the device's files, as tables or JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sample_agent.cli.card.errors import explained

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

Data = dict[str, Any]

_GROUPS = "ABCDEFGHIJ"
_MOST_NOTES = 200


def inspect(
    path: Annotated[
        Path,
        typer.Argument(help="A project's folder or archive, an SP-404SX card, or a single file: PADCONF, SMP, PTN, …"),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Write everything as JSON.")] = False,
) -> None:
    """Show what a project, a card or a file holds."""
    from sample_agent.cli.card.description import describe

    with explained():
        described = describe(path)
    if as_json:
        typer.echo(json.dumps(described, indent=2, ensure_ascii=False))
        return
    from rich.console import Console

    console = Console()
    for part in _shown(described):
        _print(console, part)


def _print(console: Console, part: RenderableType) -> None:
    console.print(part, soft_wrap=isinstance(part, str), markup=False, highlight=False)


def _shown(described: Data) -> Iterator[RenderableType]:
    kind = described["kind"]
    if kind == "projects":
        yield f"{described['path']}: {len(described['projects'])} projects; name the folder of one to see it."
        rows = (tuple(str(project.get(key, "")) for key in _OVERVIEW) for project in described["projects"])
        yield _table(("Folder", "Name", "Tempo", "Pads", "Patterns", ""), rows, right=(2, 3, 4))
    elif kind in ("project", "PADCONF.BIN"):
        yield from _project(described)
    elif kind in ("SP-404SX card", "PAD_INFO.BIN", "record of PAD_INFO.BIN"):
        yield from _sx(described)
    elif kind == "PTN":
        yield from _pattern(described)
    elif kind == "BMP":
        yield f"{described['path']}: picture, {described['bits']} bit"
        yield "\n".join(_half_blocks(described["pixels"]))
    else:
        yield f"{described['path']}: {kind}"
        yield "\n".join(f"  {name}: {_words(value)}" for name, value in described.items() if name not in _HEAD)


_HEAD = ("kind", "path")
_OVERVIEW = ("folder", "name", "tempo", "pads", "patterns", "error")


def _project(described: Data) -> Iterator[RenderableType]:
    name = described["name"] or "(no name)"
    tempo = "project" if described["tempo_select"] == "project" else "bank"
    yield f"{described['path']}: {name!r}, PADCONF version {described['version']}"
    yield f"Tempo {described['tempo']:.2f} BPM, the {tempo}'s tempo counts."
    used = {pad["pad"][0] for pad in described["pads"]}
    rows = (
        (bank["bank"], f"{bank['tempo']:.2f}", str(bank["volume"]), "protected" if bank["protect"] else "")
        for bank in described["banks"]
        if bank["bank"] in used
    )
    yield _table(("Bank", "Tempo", "Volume", ""), rows, right=(1, 2))
    yield _table(
        ("Pad", "Name", "Seconds", "Ch", "BPM", "Level", "Settings"),
        (_pad_row(pad) for pad in described["pads"]),
        right=(2, 4, 5),
    )
    if described.get("patterns"):
        yield _table(
            ("Pattern", "Bars", "Time", "Loop", "Notes", "Pads"),
            (_pattern_row(pattern) for pattern in described["patterns"]),
            right=(1, 4),
        )
    if chain := described.get("chain"):
        yield f"Chain: {' '.join(chain['patterns'])}"
    for title, key in (
        ("Pictures", "pictures"), ("Samples without a pad", "samples_without_pad"),
        ("Patterns that cannot be read", "unread_patterns"), ("Other files", "other_files"),
    ):  # fmt: skip
        if names := described.get(key):
            yield f"{title}: {', '.join(names)}"


def _pad_row(pad: Data) -> tuple[str, ...]:
    audio = pad.get("audio", {})
    if audio is None:
        seconds, channels = "missing", ""
    elif "damaged" in audio:
        seconds, channels = "damaged", ""
    else:
        seconds, channels = (f"{audio['seconds']:.2f}", "12"[audio["channels"] - 1]) if audio else ("", "")
    tempo = f"{pad['tempo']:.2f}"
    return (pad["pad"], pad["name"], seconds, channels, tempo, str(pad["level"]), ", ".join(_settings(pad)))


def _settings(pad: Data) -> Iterator[str]:
    """How a pad differs from what one expects."""
    if pad["one_shot"]:
        yield "one-shot"
    if pad["gate"]:
        yield "gate"
    if pad["loop"]:
        yield "loop"
    if pad["bpm_sync"]:
        yield "BPM sync"
    if pad["play_mode"] != "forward":
        yield _words(pad["play_mode"])
    for name, key in (("mute", "mute_group"), ("link", "link")):
        if pad[key]:
            yield f"{name} {_GROUPS[pad[key] - 1] if 1 <= pad[key] <= len(_GROUPS) else pad[key]}"
    if pad["bus"] != "bus_1":
        yield _words(pad["bus"]).upper() if pad["bus"] == "bus_2" else _words(pad["bus"])
    for name, key, usual in _NUMBERS:
        if pad[key] != usual:
            yield f"{name} {pad[key]:+g}" if key in ("pitch", "fine") else f"{name} {pad[key]:g}"
    if not pad["vinyl"]:
        yield "vinyl off"
    for name, key, plain in (("vari", "vari", "normal"), ("chromatic", "chromatic", "mono")):
        if pad[key] != plain:
            yield f"{name} {_words(pad[key])}"
    if pad["fixed_velocity"]:
        yield "fixed velocity"
    if not (pad["start"] == pad["loop_top"] == 512 and pad["end"] == pad["size"]):
        yield f"plays bytes {pad['start']} to {pad['end']}, loops from {pad['loop_top']}"
    if pad["chops"]:
        yield "1 chop" if len(pad["chops"]) == 1 else f"{len(pad['chops'])} chops"


_NUMBERS = (
    ("pitch", "pitch", 0),
    ("fine", "fine", 0),
    ("speed", "speed", 100.0),
    ("pan", "pan", 64),
    ("roll", "roll", 2),
    ("attack", "attack", 0),
    ("hold", "hold", 100),
    ("release", "release", 0),
)


def _pattern_row(pattern: Data) -> tuple[str, ...]:
    first, last = pattern["loop"]
    count, pads = str(pattern["note_count"]), " ".join(pattern["pads"])
    return (pattern["pattern"], str(pattern["bars"]), pattern["time_signature"], f"{first}-{last}", count, pads)


def _pattern(described: Data) -> Iterator[RenderableType]:
    first, last = described["loop"]
    bars = "1 bar" if described["bars"] == 1 else f"{described['bars']} bars"
    length = f"{bars} of {described['time_signature']}, {described['ticks']} ticks"
    yield f"{described['path']}: {length}, loop {first}-{last}"
    notes = described["notes"]
    rows = (
        (str(note["tick"]), note["pad"], str(note["velocity"]), str(note["length"]), _pitch(note["semitones"]))
        for note in notes[:_MOST_NOTES]
    )
    yield _table(("Tick", "Pad", "Velocity", "Length", "Pitch"), rows, right=(0, 2, 3, 4))
    if len(notes) > _MOST_NOTES:
        yield f"… and {len(notes) - _MOST_NOTES} more notes; --json lists them all."
    if described["motions"]:
        yield f"{described['motions']} records of knobs that were turned."


def _pitch(semitones: int | None) -> str:
    return "" if semitones is None else f"{semitones:+d}"


def _sx(described: Data) -> Iterator[RenderableType]:
    yield f"{described['path']}: {described['kind']}, {len(described['pads'])} pads with a sound"
    rows = (
        (
            pad.get("pad", ""),
            pad.get("file") or "",
            str(pad["original_end"]),
            f"{pad['user_start']}-{pad['user_end']}",
            str(pad["channels"]),
            str(pad["volume"]),
            f"{pad['user_tempo']:.1f}",
            ", ".join(name.replace("_", "-") for name in ("lo_fi", "loop", "gate", "reverse") if pad[name]),
        )
        for pad in described["pads"]
    )
    yield _table(("Pad", "File", "Bytes", "Plays", "Ch", "Volume", "BPM", "Settings"), rows, right=(2, 5, 6))
    if names := described.get("other_files"):
        yield f"Other files: {', '.join(names)}"


_NEVER_BROKEN = ("Pad", "Name", "Pattern", "BPM", "File")


def _table(titles: Iterable[str], rows: Iterable[Iterable[str]], right: tuple[int, ...]) -> RenderableType:
    from rich.box import SIMPLE
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE, header_style="bold")
    for index, title in enumerate(titles):
        whole = title in _NEVER_BROKEN
        table.add_column(title, justify="right" if index in right else "left", overflow="fold", no_wrap=whole)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    return table


def _half_blocks(pixels: list[str]) -> Iterator[str]:
    """Two rows of a picture as one of text."""
    blocks = {"..": " ", "#.": "▀", ".#": "▄", "##": "█"}
    for upper, lower in zip(pixels[::2], pixels[1::2], strict=True):
        yield "".join(blocks[a + b] for a, b in zip(upper, lower, strict=True)).rstrip()


def _words(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value).replace("_", " ")
