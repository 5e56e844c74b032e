import io
import shutil
import subprocess
import zipfile
import zlib
from pathlib import Path

import pytest

from sample_agent.sp404.projects.stored_zip import StoredZip

GIBIBYTE = 1 << 30


def archive_of(*files: tuple[str, bytes]) -> bytes:
    archive = StoredZip()
    parts = [archive.entry(name, len(content), zlib.crc32(content)) + content for name, content in files]
    whole = b"".join([*parts, archive.end()])
    assert archive.offset == len(whole)
    return whole


def test_every_reader_finds_the_files_again(tmp_path: Path) -> None:
    files = [("README.TXT", b"hello"), ("IMPORT/é ♯/a.WAV", bytes(range(256)) * 9), ("empty", b"")]
    whole = archive_of(*files)
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        assert archive.testzip() is None
        assert [(entry.filename, archive.read(entry)) for entry in archive.infolist()] == files
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert {(entry.create_system, entry.external_attr) for entry in archive.infolist()} == {(0, 0)}
    if unzip := shutil.which("unzip"):
        (tmp_path / "a.zip").write_bytes(whole)
        subprocess.run([unzip, "-tq", tmp_path / "a.zip"], check=True)


def test_an_empty_archive_is_one() -> None:
    assert zipfile.ZipFile(io.BytesIO(archive_of())).namelist() == []


def test_files_beyond_four_gigabytes_are_found(tmp_path: Path) -> None:
    archive = StoredZip()
    with (tmp_path / "large.zip").open("wb") as file:
        for name in ("a", "b"):
            file.write(archive.entry(name, 3 * GIBIBYTE, 0))
            file.seek(3 * GIBIBYTE, io.SEEK_CUR)
        file.write(archive.entry("c", 4, zlib.crc32(b"last")) + b"last")
        file.write(archive.end())
    with zipfile.ZipFile(tmp_path / "large.zip") as found:
        assert [(entry.filename, entry.file_size) for entry in found.infolist()] == [
            ("a", 3 * GIBIBYTE),
            ("b", 3 * GIBIBYTE),
            ("c", 4),
        ]
        assert found.read("c") == b"last"


def test_more_files_than_a_plain_archive_can_count_are_found() -> None:
    whole = archive_of(*((f"{number}", b"x") for number in range(70_000)))
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        assert len(archive.namelist()) == 70_000
        assert archive.read("69999") == b"x"


@pytest.mark.parametrize("name", ["", "/a", "a/", "a//b", "../a", "a/../b", "./a", "a\\b", "x" * 70_000])
def test_a_name_that_leads_out_of_the_archive_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"archive"):
        StoredZip().entry(name, 1, 0)


def test_a_file_too_large_for_a_plain_entry_is_refused() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        StoredZip().entry("a", 4 * GIBIBYTE, 0)
