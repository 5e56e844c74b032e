import pytest

from sample_agent.sp404.errors import OutOfRangeError
from sample_agent.sp404.slots import ALL_SLOTS, PadSlot


@pytest.mark.parametrize(
    ("label", "index", "smp_name", "pattern_name"),
    [
        ("A1", 0, "BANK1-01.SMP", "PTN00001.BIN"),
        ("A16", 15, "BANK1-16.SMP", "PTN00016.BIN"),
        ("B1", 16, "BANK2-01.SMP", "PTN00017.BIN"),
        ("J16", 159, "BANK10-16.SMP", "PTN00160.BIN"),
    ],
)
def test_a_slot_has_the_units_label_and_file_names(label: str, index: int, smp_name: str, pattern_name: str) -> None:
    slot = PadSlot.parse(label)
    assert (str(slot), slot.index, slot.smp_name, slot.pattern_name) == (label, index, smp_name, pattern_name)


def test_every_slot_comes_back_from_each_of_its_names() -> None:
    assert len(set(ALL_SLOTS)) == 160
    assert list(ALL_SLOTS) == sorted(ALL_SLOTS)
    for index, slot in enumerate(ALL_SLOTS):
        assert PadSlot.from_index(index) == PadSlot.parse(str(slot)) == slot
        assert PadSlot.parse_smp_name(slot.smp_name) == PadSlot.parse_pattern_name(slot.pattern_name) == slot


@pytest.mark.parametrize("label", ["a1", "A01", "a01"])
def test_a_label_may_be_small_or_have_a_leading_zero(label: str) -> None:
    assert PadSlot.parse(label) == PadSlot(0, 0)


@pytest.mark.parametrize("label", ["", "A", "A0", "A17", "K1", "A001", "1A", " A1", "A1\n", "A¹", "Ａ1"])
def test_any_other_text_is_no_slot(label: str) -> None:
    with pytest.raises(OutOfRangeError, match="A1 to J16"):
        PadSlot.parse(label)


@pytest.mark.parametrize("name", ["BANK0-01.SMP", "BANK11-01.SMP", "BANK1-17.SMP", "BANK1-1.SMP", "BANK1-01.WAV", "x"])
def test_other_file_names_are_no_samples(name: str) -> None:
    assert PadSlot.parse_smp_name(name) is None


@pytest.mark.parametrize("name", ["PTN00000.BIN", "PTN00161.BIN", "PTN1.BIN", "PTN000001.BIN", "PTN٠٠٠٠١.BIN"])
def test_other_file_names_are_no_patterns(name: str) -> None:
    assert PadSlot.parse_pattern_name(name) is None


@pytest.mark.parametrize(("bank", "pad"), [(-1, 0), (10, 0), (0, -1), (0, 16)])
def test_there_are_ten_banks_of_sixteen(bank: int, pad: int) -> None:
    with pytest.raises(OutOfRangeError):
        PadSlot(bank, pad)


@pytest.mark.parametrize("index", [-1, 160])
def test_there_are_160_slots(index: int) -> None:
    with pytest.raises(OutOfRangeError):
        PadSlot.from_index(index)
