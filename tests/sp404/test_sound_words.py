"""What names say of sounds."""

import pytest

from sample_agent.sp404.kits.sound_words import class_in_folders, class_in_name, says_loop


@pytest.mark.parametrize(
    ("name", "sound_class"),
    [
        ("Kick 01.wav", "kick"),
        ("BD_deep.wav", "kick"),
        ("Bass Drum 3.aif", "kick"),
        ("808 Bass.wav", "bass"),
        ("SNR-crisp02.flac", "snare"),
        ("noise snare.wav", "snare"),
        ("Dusty_OpenHat-03.wav", "open-hat"),
        ("hat closed.wav", "closed-hat"),
        ("HH Open 2.wav", "open-hat"),
        ("Hi-Hat 4.wav", "closed-hat"),
        ("OH1.wav", "open-hat"),
        ("side stick.wav", "rim"),
        ("Crash 18.wav", "cymbal"),
        ("LowTom.wav", "tom"),
        ("shaker loop 90.wav", "drum-loop"),
        ("Rhodes Loop Am 92bpm.wav", "melodic-loop"),
        ("Amen Break 170.wav", "drum-loop"),
        ("lead vocal take 2.wav", "vocal"),
        ("Piano Chord Fm.wav", "chord"),
        ("vinyl noise.wav", "fx"),
        ("take 7.wav", None),
        ("sidekick's story.wav", None),
        ("", None),
    ],
)
def test_a_name_tells_the_class(name: str, sound_class: str | None) -> None:
    assert class_in_name(name) == sound_class


def test_the_nearest_folder_that_tells_counts() -> None:
    assert class_in_folders("Packs/Kicks/Snares/03.wav") == "snare"
    assert class_in_folders("Packs/Snares/Dusty/03.wav") == "snare"
    assert class_in_folders("Snares/a/b/03.wav") is None
    assert class_in_folders(r"C:\Packs\Open Hats\03.wav") == "open-hat"
    assert class_in_folders("03.wav") is None


def test_a_name_calls_a_sound_a_loop() -> None:
    assert says_loop("drum_loop.wav")
    assert says_loop("Amen Break.wav")
    assert not says_loop("Kick.wav")
