"""Which files `sample-agent analyze` and `card build` find where they are pointed at."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import typer

from sample_agent.cli.audio_files import audio_files
from tests.cli.running import analyze
from tests.engine.files import write


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def crate(tmp_path: Path) -> Path:
    """Sounds in two folders, and links that lead out, back, in a circle and nowhere."""
    crate, disk = tmp_path / "crate", tmp_path / "disk"
    (crate / "drums").mkdir(parents=True)
    (disk / "deep").mkdir(parents=True)
    for name in ("crate/a.wav", "crate/drums/kick.wav", "disk/pad.wav", "disk/deep/bass.wav"):
        (tmp_path / name).touch()
    (crate / "a link to another disk").symlink_to(disk)
    (crate / "another one").symlink_to(disk)
    (crate / "beside drums").symlink_to(crate / "drums")
    (crate / "drums" / "up").symlink_to(crate)
    (crate / ".hidden").symlink_to(disk)
    (disk / "deep" / "around").symlink_to(disk)
    (crate / "circle").symlink_to(crate / "circle")
    return crate


def _found(*paths: Path) -> list[str]:
    return [file.relative_to(paths[0]).as_posix() for file in audio_files(paths, pytest.fail)]


def test_links_to_folders_are_followed_once(crate: Path) -> None:
    assert _found(crate) == [
        "a.wav",
        "drums/kick.wav",
        "a link to another disk/pad.wav",
        "a link to another disk/deep/bass.wav",
    ]


def test_what_is_named_itself_is_found_under_that_name(crate: Path, tmp_path: Path) -> None:
    by_name = list(audio_files([crate, tmp_path / "disk"], pytest.fail))
    assert by_name[2:] == [tmp_path / "disk" / "pad.wav", tmp_path / "disk" / "deep" / "bass.wav"]
    one = list(audio_files([crate, tmp_path / "disk" / "pad.wav"], pytest.fail))
    assert one[2:] == [tmp_path / "disk" / "pad.wav", crate / "a link to another disk" / "deep" / "bass.wav"]


@pytest.fixture
def out_of_reach(crate: Path) -> Path:
    """A folder that even root cannot list, because its path is longer than the system takes."""
    here, deep = Path.cwd(), crate / "drums"
    os.chdir(deep)
    for _ in range(20):
        (step := Path("d" * 250)).mkdir()
        os.chdir(step)
        deep = deep / step
    os.chdir(here)
    return deep


@pytest.mark.usefixtures("out_of_reach")
def test_a_folder_that_cannot_be_read_is_told_of_and_the_others_are_read(crate: Path) -> None:
    told: list[str] = []
    found = list(audio_files([crate], told.append))
    assert len(found) == 4
    assert len(told) == 1
    assert "ddd cannot be read (File name too long)" in told[0]


@pytest.mark.usefixtures("out_of_reach")
def test_the_command_tells_of_it_once(crate: Path) -> None:
    for sound in (crate / "a.wav", crate / "drums" / "kick.wav"):
        write(sound)
    done = analyze(crate / "drums", "--json")
    files = [json.loads(line)["file"] for line in done.stdout.splitlines()]
    assert files[0] == str(crate / "drums" / "kick.wav")
    assert done.stderr.count("Left out: ") == 1


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_what_one_may_not_read_is_told_of(crate: Path) -> None:
    (crate / "drums" / "no suffix").touch(mode=0)
    (crate / "drums").chmod(0o500)
    told: list[str] = []
    list(audio_files([crate], told.append))
    assert ["no suffix cannot be read (Permission denied)" in sentence for sentence in told] == [True]
    (crate / "drums").chmod(0o700)


@pytest.mark.parametrize("name", ["-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"])
def test_a_stream_is_refused_with_what_to_do_instead(name: str) -> None:
    done = analyze(name, "--json", stdin="RIFF")
    assert done.returncode == 2
    assert "Streams are not read: name audio files" in " ".join(done.stderr.replace("│", " ").split())


def test_a_pipe_with_a_name_is_a_stream_and_a_file_called_dash_is_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe.wav")
    with pytest.raises(typer.BadParameter, match="stream"):
        list(audio_files([Path("pipe.wav")]))
    Path("-").touch()
    assert list(audio_files([Path("-")])) == [Path("-")]
