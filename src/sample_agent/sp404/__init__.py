"""The Roland SP-404MK2: its files, its projects, the sounds it plays, and what belongs on which pad.

Bytes and NumPy arrays in and out; usable without the rest. Read from the bottom up:

    formats   the bytes of each kind of file
    sound     any sound made into what the unit plays
    projects  a project as one value: read, verified, edited, merged, written
    kits      which sample belongs on which pad
    cards     all of it put together

    from sample_agent.sp404 import PadSlot, load_project, move_pad, write_folder

    project = load_project("EXPORT/PROJECT/PROJECT_16")
    write_folder(move_pad(project, PadSlot.parse("A1"), PadSlot.parse("B5")), "PROJECT_01")

What is named here is loaded when it is first asked for.
"""

from typing import TYPE_CHECKING, Any

from sample_agent.sp404.errors import FormatError, OutOfRangeError
from sample_agent.sp404.slots import PadSlot

if TYPE_CHECKING:
    from sample_agent.sp404.cards.build import BuildOptions, SoundOptions, built_project
    from sample_agent.sp404.formats.padconf import Padconf, PadSettings
    from sample_agent.sp404.formats.pattern import Note, Pattern
    from sample_agent.sp404.formats.picture import Picture
    from sample_agent.sp404.formats.smp import SmpHeader, read_smp_blocks, write_smp
    from sample_agent.sp404.kits.complete import complete
    from sample_agent.sp404.kits.kit import KitSample
    from sample_agent.sp404.kits.layout import layout
    from sample_agent.sp404.projects.edit import clear_pads, copy_pad, move_pad, swap_pads
    from sample_agent.sp404.projects.merge import BankPart, merge_banks
    from sample_agent.sp404.projects.output import project_zip, write_card, write_folder
    from sample_agent.sp404.projects.project import Pad, Project
    from sample_agent.sp404.projects.reading import load_project
    from sample_agent.sp404.projects.verify import Finding, verify
    from sample_agent.sp404.sound.prepare import prepare, write_prepared
    from sample_agent.sp404.sound.treatment import Treatment

_PLACES = {
    "cards.build": ("BuildOptions", "SoundOptions", "built_project"),
    "formats.padconf": ("PadSettings", "Padconf"),
    "formats.pattern": ("Note", "Pattern"),
    "formats.picture": ("Picture",),
    "formats.smp": ("SmpHeader", "read_smp_blocks", "write_smp"),
    "kits.complete": ("complete",),
    "kits.kit": ("KitSample",),
    "kits.layout": ("layout",),
    "projects.edit": ("clear_pads", "copy_pad", "move_pad", "swap_pads"),
    "projects.merge": ("BankPart", "merge_banks"),
    "projects.output": ("project_zip", "write_card", "write_folder"),
    "projects.project": ("Pad", "Project"),
    "projects.reading": ("load_project",),
    "projects.verify": ("Finding", "verify"),
    "sound.prepare": ("prepare", "write_prepared"),
    "sound.treatment": ("Treatment",),
}

__all__ = [
    "BankPart",
    "BuildOptions",
    "Finding",
    "FormatError",
    "KitSample",
    "Note",
    "OutOfRangeError",
    "Pad",
    "PadSettings",
    "PadSlot",
    "Padconf",
    "Pattern",
    "Picture",
    "Project",
    "SmpHeader",
    "SoundOptions",
    "Treatment",
    "built_project",
    "clear_pads",
    "complete",
    "copy_pad",
    "layout",
    "load_project",
    "merge_banks",
    "move_pad",
    "prepare",
    "project_zip",
    "read_smp_blocks",
    "swap_pads",
    "verify",
    "write_card",
    "write_folder",
    "write_prepared",
    "write_smp",
]


def __getattr__(name: str) -> Any:
    from importlib import import_module

    for place, names in _PLACES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{place}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
