import json
from pathlib import Path

import pytest

from sample_agent.sp404.projects.output import write_folder, write_zip
from sample_agent.sp404.projects.reading import load_project
from sample_agent.sp404.projects.verify import verify
from tests.cli.cards import card
from tests.sp404.projects import full, hits, pad, project


@pytest.fixture
def two(tmp_path: Path) -> tuple[Path, Path]:
    """A folder and an archive with a project each."""
    drums = project({"A1": pad(1, "Kick")}, {"A1": hits("A1")}, name="Drums")
    keys = project({"C5": pad(2, "Keys"), "D1": pad(3, "Pad")}, {"C1": hits("C5", "D1")}, name="Keys", tempo=120.0)
    write_folder(drums, tmp_path / "drums")
    write_zip(keys, tmp_path / "keys.zip", "PROJECT_02")
    return tmp_path / "drums", tmp_path / "keys.zip"


def named(path: Path) -> dict[str, str]:
    return {str(place): each.name for place, each in load_project(path).pads.items()}


def test_banks_become_a_and_b_in_the_order_given(two: tuple[Path, Path], tmp_path: Path) -> None:
    done = card("merge", f"{two[0] / 'PADCONF.BIN'}:A", f"{two[1]}:c", "-o", tmp_path / "out")
    assert (done.code, done.err) == (0, "")
    assert named(tmp_path / "out") == {"A1": "Kick", "B5": "Keys"}
    assert load_project(tmp_path / "out").banks[1].tempo == 120.0
    assert verify(tmp_path / "out") == []
    assert "pattern C1 loses 1 note on pads that were not merged (D1)" in " ".join(done.out.split())


def test_a_bank_can_be_given_its_place(two: tuple[Path, Path], tmp_path: Path) -> None:
    done = card(
        "merge", f"{two[1]}:D=A", f"{two[0]}:A", f"{two[1]}:C=J", "-o", tmp_path / "o.zip", "--json", "--project", 5
    )
    assert named(tmp_path / "o.zip") == {"A1": "Pad", "B1": "Kick", "J5": "Keys"}
    read = json.loads(done.out)
    assert read["notices"] == []
    assert [(each["bank"], each["was"], each["pads"]) for each in read["banks"]] == [
        ("A", "D", 1),
        ("B", "A", 1),
        ("J", "C", 1),
    ]
    assert read["written"].endswith("o.zip (EXPORT/PROJECT/PROJECT_05)")


def test_a_card_can_be_merged_onto(two: tuple[Path, Path], tmp_path: Path) -> None:
    card("merge", f"{two[0]}:A", "-o", tmp_path / "card", "--project", "16", "--name", "New one")
    made = load_project(tmp_path / "card" / "EXPORT" / "PROJECT" / "PROJECT_16")
    assert made.name == "New one"


def test_an_existing_project_stays_unless_it_may_be_replaced(two: tuple[Path, Path], tmp_path: Path) -> None:
    write_folder(full(), tmp_path / "out")
    done = card("merge", f"{two[0]}:A", "-o", tmp_path / "out")
    assert done.code == 1
    assert "Add --replace" in done.err
    assert load_project(tmp_path / "out").name == "Test"
    assert card("merge", f"{two[0]}:A", "-o", tmp_path / "out", "--replace").code == 0
    assert load_project(tmp_path / "out").name == "Drums"


@pytest.mark.parametrize(
    ("banks", "code", "words"),
    [
        (["{0}"], 2, "is not a project and a bank"),
        (["{0}:K"], 2, "is not a project and a bank"),
        (["{0}:A=K"], 2, "is not a project and a bank"),
        (["{0}:A"] * 11, 2, "A project has 10 banks"),
        (["{0}:B"], 1, "nothing in bank B"),
        (["{0}:A=B", "{1}:C=B"], 1, "Bank B cannot be both"),
        (["nothing:A"], 1, "no such file or folder"),
        (["{0}/SMPL/BANK1-01.SMP:A"], 1, "neither a folder nor an archive"),
    ],
)
def test_what_cannot_be_merged_is_an_error_in_a_sentence(
    banks: list[str], code: int, words: str, two: tuple[Path, Path], tmp_path: Path
) -> None:
    done = card("merge", *(bank.format(*two) for bank in banks), "-o", tmp_path / "out")
    assert done.code == code
    assert words in " ".join(done.err.replace("│", " ").split())
    assert not (tmp_path / "out").exists()


def test_a_name_the_unit_does_not_take_is_refused(two: tuple[Path, Path], tmp_path: Path) -> None:
    done = card("merge", f"{two[0]}:A", "-o", tmp_path / "out", "--name", "Žába")
    assert done.code == 1
    assert "printable ASCII" in done.err
