import pickle

import pytest

from sample_agent.sp404.errors import FormatError, OutOfRangeError


def test_a_format_error_says_which_file_where_and_what() -> None:
    error = FormatError("SMP", "the checksum is not that of the header", 0x20)
    assert str(error) == "SMP, byte 0x0020: the checksum is not that of the header"
    assert str(error.at("SMPL/BANK1-01.SMP")).startswith("SMPL/BANK1-01.SMP, SMP, byte 0x0020: ")
    assert error.path is None


def test_an_error_without_a_place_names_none() -> None:
    assert str(FormatError("PTN", "it stops before its end record")) == "PTN: it stops before its end record"


def test_an_out_of_range_error_says_what_is_allowed() -> None:
    assert str(OutOfRangeError("pitch", 13, "-12 to 12")) == "pitch is 13; allowed: -12 to 12."


@pytest.mark.parametrize("error", [FormatError("SMP", "cut", 4, "a.SMP"), OutOfRangeError("pan", 1, "13 to 115")])
def test_errors_survive_the_way_between_processes(error: Exception) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))
