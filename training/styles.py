"""Drum patterns by style, written down in steps: what the loops that tempo is learned from are made of.

A pattern is a line of steps for each drum: `X` an accent, `x` a hit, `o` a soft one, `?` a hit now and then, `.` none.
A bar has `beats` beats of `steps` steps. The tempo is the one that people who make such music would name: the snare of
trap and dubstep falls on the third beat, that of jungle on the second and fourth.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Style:
    """`tempo`: from, to; `weight`: how often it is drawn; `swing`: how late off-beat steps may come, in steps."""

    name: str
    tempo: tuple[float, float]
    bars: tuple[dict[str, str], ...]
    weight: float = 1.0
    steps: int = 4
    beats: int = 4
    swing: float = 0.1
    human: float = 0.003


def _bar(**lines: str) -> dict[str, str]:
    return {drum: line.replace(" ", "") for drum, line in lines.items()}


STYLES = (
    Style("house", (116, 130), (
        _bar(kick="X... X... X... X...", clap=".... X... .... X...", open="..x. ..x. ..x. ..x.", hat="x.?. x.?. x.?. x.?."),
        _bar(kick="X... X... X... X...", snare=".... X... .... X..?", hat="xox. xox. xox. xoxo", perc="..x? ...x ..x. .?x."),
        _bar(kick="X... X... X..x X...", clap=".... X... .... X...", open="..X. ..X. ..X. ..X.", perc="x..x ..x. x..x ..x."),
        _bar(kick="X... X... X... X...", hat="..x. ..x. ..x. ..x.", perc="x.xx .xx. x.xx .x.x"),
    ), 2.2),
    Style("techno", (122, 148), (
        _bar(kick="X... X... X... X...", hat="..x. ..x. ..x. ..x.", perc="?..? ..x. .?.. x..?"),
        _bar(kick="X... X... X... X...", open="..x. ..x. ..x. ..x.", hat="xxxx xxxx xxxx xxxx", rim="...x ..x. ...x ...."),
        _bar(kick="X... X... X... X...", clap=".... X... .... X...", hat="xo.o xo.o xo.o xo.o", tom="..o. .o.. o..o ..o."),
        _bar(kick="X..o X..o X..o X..o", ride="x.x. x.x. x.x. x.x.", clap=".... .... .... X..."),
    ), 1.6, swing=0.03),
    Style("trance", (130, 142), (
        _bar(kick="X... X... X... X...", open="..X. ..X. ..X. ..X.", snare=".... X... .... X...", hat="xoxo xoxo xoxo xoxo"),
        _bar(kick="X... X... X... X...", clap=".... X... .... X...", hat="..x. ..x. ..x. ..x."),
    ), 0.7, swing=0.02),
    Style("disco", (106, 126), (
        _bar(kick="X... X... X... X...", snare=".... X... .... X...", open="..X. ..X. ..X. ..X.", hat="x... x... x... x..."),
        _bar(kick="X... X... X... X...", snare=".... X... .... X..o", hat="xoxo xoxo xoxo xoxo", cowbell="x.x. xx.x x.x. xx.x"),
    ), 0.9),
    Style("boom bap", (80, 102), (
        _bar(kick="X... ..x. ..x. ....", snare=".... X... .... X...", hat="x.x. x.x. x.x. x.x."),
        _bar(kick="X..x .... ..x. .x..", snare=".... X..o .o.. X...", hat="x.x. x.xo x.x. x.x."),
        _bar(kick="X... ...x .xX. ....", snare=".... X... .... X..?", hat="xxx. xxx. xxx. xxx."),
        _bar(kick="X.x. .... .X.. ..x.", snare=".... X..o .... X...", hat="x.x. x.x. xox. x.x.", open="...? .... ..x. ...."),
        _bar(kick="X..X ..x. .... .x..", clap=".... X... .... X...", perc="..x. .... x..? ...."),
    ), 2.6, swing=0.35, human=0.007),
    Style("lo-fi", (68, 92), (
        _bar(kick="X... .... ..x. ....", snare=".... X... .... X...", hat="x.x. x.x. x.x. x.x."),
        _bar(kick="X... ..x. .x.. ....", rim=".... X... .... X...", hat="x.o. x.o. x.o. x.o.", shaker="xoxo xoxo xoxo xoxo"),
    ), 1.3, swing=0.4, human=0.01),
    Style("trap", (126, 160), (
        _bar(kick="X... .... ..x. ....", clap=".... .... X... ....", hat="x.x. x.x. x.x. x.x."),
        _bar(kick="X.....x...x..x..", snare="........X.......", hat="x.x.x.xxx.x.x.x."),
        _bar(kick="X..x .... ..x. ..x.", snare=".... .... X... ....", hat="xoxo xoxo xxxx xoxo", open=".... .... .... ..x."),
        _bar(kick="X... ...x ..x. ....", clap=".... .... X... ...?", hat="x.xx x.xx x.x. xxxx"),
        _bar(kick="X.........x.....", snare="........X.......", hat="x...x...x...x..."),
    ), 1.1, swing=0.05),
    Style("drill", (138, 146), (
        _bar(kick="X... ..x. .... ..x.", snare=".... .... x..x ....", hat="x..x ..x. x..x ..x.", rim="..?. .... ...? ...."),
        _bar(kick="X..... x.... x....", snare="......X.......X.", hat="x..x..x.x..x..x."),
    ), 0.3),
    Style("dubstep", (138, 142), (
        _bar(kick="X... .... ..x. ....", snare=".... .... X... ....", hat="..x. ..x. ..x. ..x."),
        _bar(kick="X..x .... .... ..x.", snare=".... .... X... ....", hat="x.xx x.x. x.xx x.x.", perc=".... ..x. .... .x.."),
        _bar(kick="X.....x.........", snare="........X.......", shaker="xoxoxoxoxoxoxoxo"),
    ), 0.6),
    Style("two-step", (126, 138), (
        _bar(kick="X... .... ..x. ....", snare=".... X... .... X...", hat="..x. ..x. ..x. ..xx", shaker="xoxo xoxo xoxo xoxo"),
        _bar(kick="X... ...x ..x. ....", clap=".... X... .... X...", hat=".xx. .xx. .xx. .xx.", rim="...x .... .x.. ..x."),
        _bar(kick="X..x .... ..X. .x..", snare=".... X..o .... X.o.", hat="x.xx ..xx x.xx ..x."),
    ), 1.1, swing=0.35),
    Style("jungle", (155, 178), (
        _bar(kick="X.X. .... ..XX ....", snare=".... X..o .o.. X..o", hat="x.x. x.x. x.x. x.x."),
        _bar(kick="X.X. .... ..x. ....", snare=".... X..o .o.. ..X.", ride="x.x. x.x. x.x. x.x."),
        _bar(kick="X... ..x. .xX. ....", snare=".... X.o. .o.o X..o", hat="xox. xoxo xox. xoxo"),
        _bar(kick="..X. ..X. .... ..X.", snare="o..o X..o .X.. X.o.", ride="x.x. x.x. x.x. x.x."),
        _bar(kick="X.X. .... ..XX ....", snare=".... X..o .o.. X..X", crash="x... .... .... ....", hat="x.x. x.x. x.x. x.x."),
        _bar(kick="X..X .... ..X. .X..", snare=".... X... .X.. X..o", hat="xxxx xxxx xxxx xxxx"),
    ), 2.4, swing=0.15, human=0.006),
    Style("drum and bass", (166, 180), (
        _bar(kick="X... .... ..X. ....", snare=".... X... .... X...", hat="x.x. x.x. x.x. x.x."),
        _bar(kick="X... .... ..X. ....", snare=".... X..o .o.. X...", hat="xoxo xoxo xoxo xoxo", ride="x.x. x.x. x.x. x.x."),
        _bar(kick="X... ..x. ..X. ....", snare=".... X... .... X..?", shaker="xoxo xoxo xoxo xoxo"),
        _bar(kick="X.x. .... .xX. ....", snare=".... X... o... X.o.", open="..x. ..x. ..x. ..x."),
    ), 1.7, swing=0.06),
    Style("half-time drum and bass", (164, 176), (
        _bar(kick="X... .... ..x. ....", snare=".... .... X... ....", hat="x.x. x.xx x.x. x.x."),
        _bar(kick="X..X .... ...x ....", snare=".... .... X... ...o", hat="xoxo xoxo xoxo xoxo"),
    ), 0.2),
    Style("old break", (92, 140), (
        _bar(kick="X.X. .... ..XX ....", snare=".... X..o .o.. X..o", ride="x.x. x.x. x.x. x.x."),
        _bar(kick="X..x ..X. .xX. ....", snare=".... X... .o.o X...", hat="x.x. x.x. x.x. x.x."),
        _bar(kick="X.x. ...x ..x. .x..", snare=".o.. X.o. o..o X..o", hat="xxxx xxxx xxxx xxxx"),
        _bar(kick="X... ..xX .xX. ....", snare=".... X... .... X...", hat="x.x. x.xx x.x. x.x.", open=".... .... .... ..x."),
        _bar(kick="X..X .... X..X ....", snare=".... X... .... X...", cowbell="x... x... x... x...", hat="x.x. x.x. x.x. x.x."),
    ), 2.2, swing=0.2, human=0.008),
    Style("funk", (90, 122), (
        _bar(kick="X.x. ..x. ..x. .x..", snare=".o.o X..o .o.o X..o", hat="xxxx xxxx xxxx xxxx"),
        _bar(kick="X... ..xx .... x...", snare="..o. X.o. .o.. X..o", hat="x.x. x.x. x.x. x.x.", open=".... ...x .... ...."),
        _bar(kick="X..x ..x. .x.. ..x.", snare=".... X..o ..o. X...", hat="x.xx x.xx x.xx x.xx"),
    ), 1.8, swing=0.15, human=0.007),
    Style("rock", (96, 150), (
        _bar(kick="X... .... X... ....", snare=".... X... .... X...", hat="x.x. x.x. x.x. x.x."),
        _bar(kick="X... ..x. X.x. ....", snare=".... X... .... X...", ride="x.x. x.x. x.x. x.x."),
        _bar(kick="X.x. .... X.x. ....", snare=".... X... .... X.xx", hat="x... x... x... x...", crash="x... .... .... ...."),
        _bar(kick="X... ...x .x.. ....", snare=".... X... .... X...", open="x.x. x.x. x.x. x.x."),
    ), 2.2, human=0.008),
    Style("ballad", (60, 84), (
        _bar(kick="X... .... x.x. ....", snare=".... X... .... X...", hat="x.x. x.x. x.x. x.x."),
        _bar(kick="X... .... ..x. ....", rim=".... X... .... X...", hat="xoxo xoxo xoxo xoxo"),
        _bar(kick="X... ..x. X... ....", snare=".... X... .... X...", ride="x.x. x.x. x.x. x.x."),
    ), 1.4, human=0.007),
    Style("soul", (68, 104), (
        _bar(kick="X... ..x. ..x. ....", snare=".... X... .... X...", hat="xoxo xoxo xoxo xoxo"),
        _bar(kick="X..x .... .x.x ....", rim=".... X... .... X..o", hat="xxxx xxxx xxxx xxxx", shaker="xoxo xoxo xoxo xoxo"),
        _bar(kick="X... ...x x... ..x.", clap=".... X... .... X...", hat="x.x. x.x. x.x. x.x."),
        _bar(kick="X.x. ..x. .... .x..", snare="...o X..o .o.. X...", hat="x.xx x.xx x.xx x.xx", tom=".... .... .... ...x"),
    ), 1.6, swing=0.25, human=0.006),
    Style("pop", (76, 132), (
        _bar(kick="X... .... X... ..x.", snare=".... X... .... X...", hat="x.x. x.x. x.x. x.x."),
        _bar(kick="X... X... X... X...", clap=".... X... .... X...", hat="..x. ..x. ..x. ..x.", shaker="xoxo xoxo xoxo xoxo"),
        _bar(kick="X..x ..x. X... ....", snare=".... X... .... X...", hat="xxxx xxxx xxxx xxxx"),
        _bar(kick="X... ..x. ..x. ....", snare=".... X... .... X...", ride="x.x. x.x. x.x. x.x.", crash="X... .... .... ...."),
        _bar(kick="X... .... .... ....", clap=".... X... .... X...", perc="x..x ..x. x..x ..x."),
    ), 2.0),
    Style("reggae", (68, 92), (
        _bar(kick="X... .... X... ....", snare=".... X... .... X...", hat="xoxo xoxo xoxo xoxo"),
        _bar(kick=".... X... .... X...", rim=".... X... .... X...", hat="x.x. x.xx x.x. x.x."),
        _bar(kick="X... X... X... X...", rim=".... X... .... X..x", hat="..x. ..x. ..x. ..x."),
    ), 0.8, swing=0.3),
    Style("punk", (158, 205), (
        _bar(kick="X... ..x. X... ....", snare=".... X... .... X...", hat="x.x. x.x. x.x. x.x."),
        _bar(kick="X...X...X...X...", snare="..X...X...X...X.", ride="x.x.x.x.x.x.x.x."),
    ), 0.25, human=0.006),
    Style("breakbeat", (120, 142), (
        _bar(kick="X... .... ..X. ....", snare=".... X... .... X...", hat="x.x. x.x. x.x. x.xx"),
        _bar(kick="X..x .... .xX. ....", snare=".... X..o .... X..o", hat="xoxo xoxo xoxo xoxo"),
        _bar(kick="X... ...X ..X. ....", clap=".... X... .... X...", open="..x. ..x. ..x. ..x.", perc="x..x ..x. .x.. x..x"),
    ), 1.5, swing=0.1),
    Style("electro", (112, 136), (
        _bar(kick="X... .... ..X. ....", snare=".... X... .... X...", hat="xoxo xoxo xoxo xoxo", cowbell="x..x ..x. ..x. ...."),
        _bar(kick="X..X .... X.X. .X..", clap=".... X... .... X...", hat="x.x. x.x. x.x. x.x."),
        _bar(kick="X..... x... x.....", snare="....X.......X...", hat="xxxxxxxxxxxxxxxx", rim="..x....x..x....."),
    ), 1.2, swing=0.03),
    Style("reggaeton", (84, 102), (
        _bar(kick="X... X... X... X...", snare="...X ..X. ...X ..X.", hat="x.x. x.x. x.x. x.x."),
        _bar(kick="X... X... X... X...", rim="...x ..x. ...x ..x.", shaker="xoxo xoxo xoxo xoxo"),
    ), 0.9),
    Style("dancehall", (90, 108), (
        _bar(kick="X..x ..x. X..x ..x.", snare="...x ..x. ...x ..x.", hat="..x. ..x. ..x. ..x."),
        _bar(kick="X... .... X..? ....", rim="...X ..X. ...X ..X.", perc="x..x ..x. x..x ..x."),
    ), 0.6),
    Style("dub", (66, 82), (
        _bar(kick=".... .... X... ....", rim=".... .... X... ....", hat="x.x. x.x. x.x. x.x."),
        _bar(kick="X... X... X... X...", snare=".... .... X... ....", hat="x.xo x.xo x.xo x.xo"),
        _bar(kick="X... .... X... ....", rim=".... X... .... X...", open="..x. ..x. ..x. ..x."),
    ), 0.6, swing=0.25),
    Style("samba", (92, 116), (
        _bar(kick="X..x X..x X..x X..x", shaker="XooX XooX XooX XooX", rim="x.x. .x.x .x.x .x..", tom="..X. .... ..X. ...."),
        _bar(kick="X..xX..xX..xX..x", snare="oxoXooXooxoXooXo", cowbell="x.x.xx.x.x.xx.x."),
    ), 0.6),
    Style("bossa nova", (112, 146), (
        _bar(kick="X..x X..x X..x X..x", rim="x..x ..x. ..x. .x..", hat="x.x. x.x. x.x. x.x."),
        _bar(kick="X..xX..xX..xX..x", rim="x..x..x...x..x..", shaker="xoxoxoxoxoxoxoxo"),
    ), 0.4),
    Style("salsa", (86, 108), (
        _bar(cowbell="X.x. X.xx X.x. X.xx", perc="..xx ..xx ..xx ..xx", rim="x..x ..x. ..x. x...", tom=".... ..x. .... ..xx"),
        _bar(perc="xoxo xoxx xoxo xoxx", rim="..x. x... x..x ..x.", shaker="X.x. X.x. X.x. X.x."),
    ), 0.5),
    Style("afrobeat", (98, 124), (
        _bar(kick="X..x ..x. X..x ....", snare="...x ..o. ...x ..x.", shaker="xoxo xoxo xoxo xoxo", perc="x..x ..x. ..x. x..."),
        _bar(kick="X... ..x. .x.. X...", rim="x..x ..x. ..x. x...", hat="x.x. x.xx x.x. x.xx", perc="..x. .xx. ..x. .xx."),
    ), 0.9, swing=0.15),
    Style("amapiano", (108, 116), (
        _bar(kick="X... X... X... X...", shaker="xoxX xoxX xoxX xoxX", tom="...x ..x. .x.. x..x", rim="..x. ...x ..x. .x.."),
    ), 0.4),
    Style("jersey club", (130, 142), (
        _bar(kick="X... X... X.. X.. X.", clap="....X.......X...", hat="x.x.x.x.x.x.x.x."),
        _bar(kick="X...X...X..X..X.", snare="...o....X.....o.", perc="..x...x...x...x."),
    ), 0.4),
    Style("footwork", (154, 162), (
        _bar(kick="X..X ..X. .X.. X...", clap=".... .... .... X...", hat="..x. ..x. ..x. ..x.", rim="x.x. .x.x x.x. xx.x"),
        _bar(kick="X..X..X..X..X.X.", snare="............X...", hat="x.xxx.xxx.xxx.xx"),
    ), 0.25),
    Style("hard dance", (146, 180), (
        _bar(kick="X... X... X... X...", open="..X. ..X. ..X. ..X.", clap=".... X... .... X..."),
        _bar(kick="X... X... X... X.X.", hat="xxxx xxxx xxxx xxxx", snare=".... x... .... x..."),
    ), 0.3, swing=0.02),
    Style("synth pop", (98, 130), (
        _bar(kick="X... .... X... ....", snare=".... X... .... X...", hat="xxxx xxxx xxxx xxxx", tom=".... .... .... ..xx"),
        _bar(kick="X... X... X... X...", snare=".... X... .... X...", hat="x.x. x.x. x.x. x.x.", clap=".... x... .... x..."),
    ), 1.0, swing=0.02),
    Style("industrial", (88, 130), (
        _bar(kick="X..X .... X.x. ....", snare=".... X... .... X...", perc="x.?x .x?. x?.x .xx.", tom="..x. .... ..x. x..."),
        _bar(kick="X... ..X. .X.. ..X.", perc="x..x x..x x..x x..x", crash=".... X... .... X..."),
    ), 0.6),
    Style("marching", (96, 126), (
        _bar(snare="XoxoXoxoXoxXXoxo", kick="X.......X......."),
        _bar(snare="Xoox Xoox Xoox XxXx", kick="X... x... X... x..."),
    ), 0.4),
    Style("straight percussion", (80, 140), (
        _bar(shaker="XoxoXoxoXoxoXoxo"), _bar(shaker="x.x.x.x.x.x.x.x."),
        _bar(perc="X..x ..x. ..x. x...", shaker="xoxo xoxo xoxo xoxo"),
        _bar(perc="X.xx .xx. X.xx .xx.", tom="...x .... ...x ..x."),
        _bar(tom="X..x..x.X..x..x.", perc="..x...x...x...xx"),
        _bar(hat="x.x. x.x. x.x. x.x."), _bar(hat="xoxoxoxoxoxoxoxo"),
    ), 1.4, swing=0.2, human=0.005),
    Style("sparse", (70, 140), (
        _bar(kick="X... .... .... ....", snare=".... .... X... ...."),
        _bar(kick="X... .... ..x. ....", clap=".... X... .... X..."),
        _bar(rim="X... ..x. .... ....", perc=".... .... x... ..x."),
        _bar(kick="X... X... X... X..."),
    ), 0.8),
    Style("jazz swing", (104, 200), (
        _bar(ride="x.. x.x x.. x.x", hat="... x.. ... x..", kick="x.. ... ..o ...", snare="..o ... o.. ..o"),
        _bar(ride="x..x.xx..x.x", hat="...x.....x..", snare=".....o..o..."),
    ), 0.5, steps=3, swing=0.0, human=0.008),
    Style("shuffle", (84, 136), (
        _bar(kick="X.. ..x X.. ...", snare="... X.. ... X..", hat="x.x x.x x.x x.x"),
        _bar(kick="X.. X.. X.. X..", snare="... X.. ... X..", open="..x ..x ..x ..x"),
        _bar(kick="X.....X.x...", snare="..o...X.o..o", hat="x.xx.xx.xx.x"),
    ), 1, steps=3, swing=0.0, human=0.007),
    Style("slow blues", (50, 76), (
        _bar(kick="X.. ... X.x ...", snare="... X.. ... X..", hat="xxx xxx xxx xxx"),
        _bar(kick="X....xX.....", rim="...X.....X..", ride="xxxxxxxxxxxx"),
    ), 0.2, steps=3, swing=0.0, human=0.008),
    Style("waltz", (84, 180), (
        _bar(kick="X... .... ....", snare=".... X... X...", hat="x... x... x..."),
        _bar(kick="X... .... ..x.", rim=".... X... X...", hat="x.x. x.x. x.x."),
        _bar(kick="X... .... ....", ride="x... x.x. x..."),
    ), 0.3, beats=3),
)  # fmt: skip
"""Every style, with bars that follow one another at random."""

FAST_THREES = (
    Style("fast waltz", (136, 218), (
        _bar(kick="X. .. ..", snare=".. X. X.", hat="x. x. x."),
        _bar(kick="X. .. ..", hat=".. x. x."),
        _bar(kick="X. .. .x", rim=".. X. X.", hat="xo xo xo"),
        _bar(kick="X. .. ..", ride="x. xx x.", snare=".. .. X."),
        _bar(kick="X. .. x.", clap=".. X. ..", shaker="xx xx xx"),
        _bar(kick="X. .. ..", snare=".. .. X.", tom=".. X. ..", ride="x. x. x."),
    ), 1.0, steps=2, beats=3),
    Style("jazz waltz", (130, 210), (
        _bar(ride="x.. x.x x..", kick="X.. ... ...", hat="... x.. ..."),
        _bar(ride="x.. x.x x.x", kick="X.. ... ..o", snare="... ..o x.."),
    ), 0.4, steps=3, beats=3, swing=0.0, human=0.008),
)  # fmt: skip
"""Bars of three that go fast."""
