"""Tempo and key in file names, as sample packs and producers write them."""

from __future__ import annotations

import pytest

from sample_agent.engine.metadata.hints import read_hints

# fmt: off
NAMES: tuple[tuple[str, float | None, str | None], ...] = (
    # A letter, a sign, and a word or an m.
    ("Dusty Break 92bpm F#min.wav", 92, "F#m"),
    ("DRUMS_128_Am_loop.aif", 128, "Am"),
    ("bass loop (174 BPM) Db maj.wav", 174, "C#"),
    ("pad_Ebmin_bpm85.5.flac", 85.5, "D#m"),
    ("F# Minor 128.wav", 128, "F#m"),
    ("F#_MINOR_128.wav", 128, "F#m"),
    ("G Major Scale.wav", None, "G"),
    ("Rhodes C Maj 90.wav", 90, "C"),
    ("SYNTH LOOP 140 EB MIN.wav", 140, "D#m"),
    ("Gb_min_100BPM.wav", 100, "F#m"),
    ("Abmin_70.wav", 70, "G#m"),
    ("melody_loop_85_cminor.wav", 85, "Cm"),
    ("melody_a_minor_loop.wav", None, "Am"),
    ("keys a minor.wav", None, "Am"),
    ("a minor.wav", None, "Am"),
    ("Piano A Minor Loop 72.wav", 72, "Am"),
    ("guitar-e-min-110.wav", 110, "Em"),
    ("Loop_C#Maj_120.wav", 120, "C#"),
    ("Vox Chop C#m 150.wav", 150, "C#m"),
    ("reese f#m 174.wav", 174, "F#m"),
    ("Amen 165bpm Fm.wav", 165, "Fm"),
    ("Bpm140 Dm.wav", 140, "Dm"),
    ("Snare_Em.wav", None, "Em"),
    ("[Bbm] Texture.wav", None, "A#m"),
    ("mix_Cm_ver2_[140 BPM].aif", 140, "Cm"),
    ("E♭ minor.wav", None, "D#m"),
    ("C♯m strings 100.wav", 100, "C#m"),
    ("Bb 95bpm.wav", 95, "A#"),
    ("808_F#.wav", None, "F#"),
    # Signs in words, and apart.
    ("F_sharp_minor_120.wav", 120, "F#m"),
    ("Fsharp min.wav", None, "F#m"),
    ("B flat major.wav", None, "A#"),
    ("B-Flat-Pad.wav", None, "A#"),
    ("C Sharp Lead 128.wav", 128, "C#"),
    ("horn A flat 90.wav", 90, "G#"),
    ("E flat minor strings.wav", None, "D#m"),
    # German.
    ("Klavier a-moll 90.wav", 90, "Am"),
    ("Streicher Fis-Moll.wav", None, "F#m"),
    ("Bläser Es-Dur 120bpm.wav", 120, "D#"),
    ("Orgel B-Dur.wav", None, "A#"),
    ("Orgel h moll.wav", None, "Bm"),
    # Chords: the key that they are of.
    ("Gmin7.wav", None, "Gm"),
    ("Cmaj7 pad.wav", None, "C"),
    ("Bbmaj7.wav", None, "A#"),
    ("Bm7 chords 90.wav", 90, "Bm"),
    ("F#m7b5.wav", None, "F#m"),
    ("Dm11.wav", None, "Dm"),
    ("Rhodes Dmin9 88bpm.wav", 88, "Dm"),
    ("Am-F-C-G 100bpm.wav", 100, "Am"),
    # Camelot's codes, alone between separators.
    ("8A 128.wav", 128, "Am"),
    ("12B.wav", None, "E"),
    ("Deep House - 05A - 122.wav", 122, "Cm"),
    ("Pad [11A].wav", None, "F#m"),
    ("4A_124_Stab.wav", 124, "Fm"),
    ("8A Cm.wav", None, "Cm"),
    ("8A into 9A.wav", None, None),
    ("Take 2B.wav", None, None),
    ("Kick 1A.wav", None, None),
    ("SP404_Bank_3A.wav", None, None),
    ("loop 2b.wav", None, None),
    ("Kit13A.wav", None, None),
    # Tempo.
    ("92,5bpm.wav", 92.5, None),
    ("Loop 92.5 bpm.wav", 92.5, None),
    ("Groove_BPM=101,25.wav", 101.25, None),
    ("BPM_087_shaker.wav", 87, None),
    ("break-172-.wav", 172, None),
    ("1999 loop 95.wav", 95, None),
    ("Kick 01.wav", None, None),
    ("TR-808 Kick.wav", None, None),
    ("60s Soul Break.wav", None, None),
    ("Kick_100Hz.wav", None, None),
    ("take 100 120.wav", None, None),
    # Words that only look like keys.
    ("FM bass 90.wav", 90, None),
    ("AM radio.wav", None, None),
    ("Fm radio.wav", None, "Fm"),
    ("Am I wrong.wav", None, None),
    ("Who Am I.wav", None, None),
    ("As I Am 90bpm.wav", 90, None),
    ("A loop in 4.wav", None, None),
    ("a minor detail.wav", None, None),
    ("A sharp knife.wav", None, None),
    ("a flat tyre.wav", None, None),
    ("Emotional pad.wav", None, None),
    ("Bass.wav", None, None),
    ("Bass G.wav", None, None),
    ("Ambient 3.wav", None, None),
    ("Major Tom.wav", None, None),
    ("minimal_D.wav", None, None),
    ("-6 db sine.wav", None, None),
    ("10 cm cone.wav", None, None),
    ("ebm loop 120.wav", 120, None),
    ("SP404_Bank A_01.wav", None, None),
    ("Vol 2 Kick 100 120.wav", None, None),
    # Notes of one-shots.
    ("C4.wav", None, None),
    ("Piano A2.wav", None, None),
    ("C#2 bass.wav", None, None),
    ("bass_Bb1.wav", None, None),
    ("Snare E.wav", None, None),
    # Folders say nothing.
    ("C:\\samples\\Gm chord.wav", None, "Gm"),
    ("Am pack/Kick.wav", None, None),
    ("", None, None),
)
# fmt: on


@pytest.mark.parametrize(("name", "tempo", "key"), NAMES)
def test_a_file_name_says_what_people_mean_by_it(name: str, tempo: float | None, key: str | None) -> None:
    hints = read_hints(name)
    assert (hints.tempo, hints.key) == (tempo, key)


def test_a_name_of_nothing_but_digits_behind_a_key_is_read_at_once() -> None:
    assert read_hints("Am" + "1" * 250 + "x.wav").key is None
