"""What the person who copies a card has to know: README.TXT in ASCII, lines ended as every computer shows them."""

from __future__ import annotations

from sample_agent.sp404.projects.output import card_folder

_PREPARE = "Use an SD card that was formatted in the SP-404MK2."
_EJECT = "Eject the card properly. Files beginning with ._ that a Mac leaves behind can be deleted."
_UNTESTED = "Not yet tested on hardware."


def wav_card_readme(folder: str) -> str:
    """For a card with samples in `IMPORT/<folder>/`."""
    return _text(
        f"{folder} - samples for the Roland SP-404MK2",
        "",
        "Putting them on the card",
        f"1. {_PREPARE}",
        "2. Unpack this archive and copy the folder IMPORT to the top of the card.",
        "   If there is an IMPORT folder already, merge the two.",
        f"   The samples then lie in IMPORT/{folder}/",
        f"3. {_EJECT}",
        "",
        "Loading them onto pads",
        "1. Put the card into the unit.",
        "2. Hold SHIFT and press pad 14, choose IMPORT from SD-CARD, then SAMPLE.",
        "3. Press the pad that is to hold the sample.",
        "4. Turn VALUE to find the file. Hold SHIFT and press VALUE to choose several.",
        "",
        "All samples are WAV, 16-bit, 48 kHz. MANIFEST.json lists what each file was called and what was",
        "done to it, and which samples were left out and why.",
        _UNTESTED,
    )


def project_readme(name: str, number: int) -> str:
    """For a card with a project in its folder for direct loading."""
    folder = card_folder(number)
    return _text(
        f"{name} - a project for the Roland SP-404MK2 (firmware 5 or newer)",
        "",
        "Putting it on the card",
        f"1. {_PREPARE}",
        f"2. Copy the folder EXPORT to the top of the card, so that {folder}/ is there.",
        f"   A project {number} that lies in that folder already is replaced.",
        f"3. {_EJECT}",
        "",
        "Playing it from the card, with nothing changed inside the unit",
        "1. Put the card into the unit. Hold SHIFT and press SUB PAD, then press SUB PAD alone, then OK.",
        f"2. Press pad {number}.",
        "",
        "Copying it into the unit",
        "1. Hold SHIFT and press pad 14, choose IMPORT from SD-CARD, then PROJECT.",
        "2. Press ROLL to change between the views of the folders IMPORT and EXPORT.",
        "3. Press the pad of the project that is to be overwritten, 1 to 16. WHAT IS IN IT IS LOST.",
        f"4. Choose PROJECT_{number:02} and press OK.",
        "",
        "The manifest beside this file lists what is on each pad, what it was called and what was done to it.",
        _UNTESTED,
    )


def _text(*lines: str) -> str:
    return "\r\n".join((*lines, ""))
