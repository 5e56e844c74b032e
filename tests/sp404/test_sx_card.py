import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from sample_agent.sp404.errors import FormatError
from sample_agent.sp404.formats.sx import PadInfo, SxPad, SxSlot
from sample_agent.sp404.formats.sx_wav import write_sx_wav
from sample_agent.sp404.projects.content import BytesContent
from sample_agent.sp404.projects.output import AlreadyThereError
from sample_agent.sp404.projects.sx_card import SxCard, load_sx_card, write_sx_card
from sample_agent.sp404.projects.verify import verify
from tests.device_files import UTTORI, needs_device_files
from tests.sp404.projects import contents

B2 = SxSlot.parse("B2")


def card() -> SxCard:
    file = io.BytesIO()
    write_sx_wav(file, B2, 1, 5_000, [np.zeros((5_000, 1), np.int16)])
    sound = file.getvalue()
    pad_info = PadInfo().with_pad(B2, SxPad.for_sound(len(sound), 1, tempo=90.0))
    return SxCard(pad_info, {B2.wav_name: BytesContent(sound)}, {"PTN/PTNINFO.BIN": BytesContent(b"\1\2")})


def test_a_card_is_written_and_read_again(tmp_path: Path) -> None:
    written = write_sx_card(card(), tmp_path)
    assert sorted(contents(tmp_path)) == [
        "ROLAND/SP-404SX/PTN/PTNINFO.BIN",
        "ROLAND/SP-404SX/SMPL/B0000002.WAV",
        "ROLAND/SP-404SX/SMPL/PAD_INFO.BIN",
    ]
    for path in (tmp_path, written, written / "SMPL"):
        read = load_sx_card(path)
        assert (read.pad_info, read.slots) == (card().pad_info, {B2: "B0000002.WAV"})
        assert verify(path) == []
    with pytest.raises(AlreadyThereError):
        write_sx_card(card(), tmp_path)
    write_sx_card(SxCard(PadInfo()), tmp_path, replace=True)
    assert list(contents(tmp_path)) == ["ROLAND/SP-404SX/SMPL/PAD_INFO.BIN"]


@needs_device_files
def test_a_card_of_real_files_is_written_again_with_the_same_bytes(tmp_path: Path) -> None:
    smpl = tmp_path / "in" / "ROLAND" / "SP-404SX" / "SMPL"
    smpl.mkdir(parents=True)
    for name in ("PAD_INFO.BIN", "STPINFO.BIN"):
        (smpl / name).write_bytes((UTTORI / "test" / "assets" / name).read_bytes())
    (smpl / "A0000001.WAV").write_bytes((UTTORI / "audio-wave" / "A0000001.wav").read_bytes())
    (smpl / "J0000012.WAV").write_bytes((UTTORI / "audio-wave" / "J0000012.WAV").read_bytes())
    write_sx_card(load_sx_card(tmp_path / "in"), tmp_path / "out")
    assert contents(tmp_path / "out") == contents(tmp_path / "in")
    findings = verify(tmp_path / "in")
    assert {each.severity for each in findings} == {"warning"}
    assert {each.message for each in findings} == {"there is no sound file for this pad"}
    assert len(findings) == 16


def test_a_card_is_read_from_an_archive(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as made:
        for name, content in card().files().items():
            made.writestr(f"ROLAND/SP-404SX/{name}", content.open().read())
    assert load_sx_card(tmp_path / "a.zip").pad_info == card().pad_info
    assert verify(tmp_path / "a.zip") == []


def test_damage_to_a_card_is_found(tmp_path: Path) -> None:
    smpl = write_sx_card(card(), tmp_path) / "SMPL"
    sound = (smpl / "B0000002.WAV").read_bytes()
    (smpl / "C0000001.WAV").write_bytes(sound)
    (smpl / "B0000002.WAV").write_bytes(sound[:-2])
    assert [str(each) for each in verify(tmp_path)] == [
        "error: B2: the pad says 10,512 bytes, SMPL/B0000002.WAV has 10,510",
        "error: SMPL/B0000002.WAV: it says it has 10,512 bytes and has 10,510 (byte 0x0004)",
        "warning: C1: SMPL/C0000001.WAV is there, but the pad is empty",
        "warning: SMPL/C0000001.WAV: it was made for pad B2",
    ]
    (smpl / "PAD_INFO.BIN").write_bytes(b"")
    (found,) = verify(tmp_path)
    assert "0 bytes, not 3,840" in found.message
    (smpl / "PAD_INFO.BIN").unlink()
    with pytest.raises(FormatError, match=r"no SMPL/PAD_INFO\.BIN"):
        load_sx_card(tmp_path)
