"""Trains the ranker that picks the tempo among the candidates.

    python -m training tempo [--loops 4000] [--plain 1200] [--trees 240] [--only-judge] [--answers FILE]

It is judged on the recorded loops of the manifest, each source by a ranker that has heard none of it, as the loops are
and cut at random; then the weights are made from everything. `--only-judge` leaves it at that; `--answers` writes
what was answered to each judged loop, for benchmarks: what confidence means is then learned from other sources, too,
and so is whether a loop is a one-shot, which has no tempo.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from sample_agent.engine.models.trees import Trees
from sample_agent.engine.rhythm.onsets import onset_envelopes, onset_times
from sample_agent.engine.rhythm.tempo import ranked
from sample_agent.engine.rhythm.tempo_candidates import Repetition, candidate_tempi
from sample_agent.engine.rhythm.tempo_features import tempo_features
from sample_agent.engine.signal.frames import Floats
from training.boosting import train_ranker
from training.kind import without_tempo
from training.places import save_weights
from training.tempo_clips import Clip, judged_loops, made_up, plain_loops, recorded, tracks, unusual_loops

_DEPTH, _RATE = 5, 0.08

_CAUTION = 0.5
"""Log odds taken off what confidence has meant: what people bring is further from all of this than the parts of it are
from one another."""

_PLAIN = ("fast three", "click", "off-beat", "no tempo")
"""What is made up by `plain_loops`; judged beside the rest."""

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Question:
    """The candidates of one clip as the ranker sees them, and how right each of them is."""

    clip: Clip
    candidates: npt.NDArray[np.float64]
    rows: Floats
    target: npt.NDArray[np.float64]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m training tempo", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--loops", type=int, default=4000, help="how many loops to make up")
    parser.add_argument("--plain", type=int, default=1200, help="how many clicks, fast threes and the like")
    parser.add_argument("--trees", type=int, default=240)
    parser.add_argument("--only-judge", action="store_true", help="leave the weights as they are")
    parser.add_argument("--answers", type=Path, help="write the answers to the judged loops there, as JSON")
    arguments = parser.parse_args()
    clips = [
        *recorded(),
        *made_up(arguments.loops),
        *tracks(100),
        *unusual_loops(arguments.loops // 4),
        *plain_loops(arguments.plain),
    ]
    questions = [question for question in map(ask, clips) if question is not None]
    print(f"{len(questions)} clips, {sum(len(question.candidates) for question in questions)} candidates")
    judged, unheard = judge(questions, arguments.trees)
    report(judged, unheard)
    sure = calibrated(judged, unheard)
    if arguments.answers:
        arguments.answers.write_text(json.dumps(written(judged, unheard)))
    if not arguments.only_judge:
        ranker = train(questions, arguments.trees)
        path = save_weights("tempo", {**ranker.arrays(), "said": sure[0], "meant": sure[1]})
        print(f"{path}: {path.stat().st_size / 1000:.0f} kB")


def ask(clip: Clip) -> Question | None:
    envelopes = onset_envelopes(clip.mel, clip.rate)
    repetition = Repetition(envelopes, clip.duration)
    candidates = candidate_tempi(repetition)
    if not len(candidates):
        return None
    _, rows = tempo_features(candidates, repetition, clip.mel, envelopes, len(onset_times(envelopes)))
    if clip.tempo:
        off = np.abs(np.log(candidates / clip.tempo))
        target = np.where(off < 0.04, np.exp(-off / 0.008), 0.0)
    else:
        # No candidate is better than another: the ranker is to be sure of none.
        target = np.ones(len(candidates))
    return Question(clip, candidates, rows, target)


def train(questions: list[Question], trees: int) -> Trees:
    answerable = [question for question in questions if question.target.max() > 0]
    return train_ranker(
        np.concatenate([question.rows for question in answerable]),
        np.concatenate([question.target / question.target.sum() for question in answerable]),
        np.array([len(question.candidates) for question in answerable]),
        np.ones(len(answerable)),
        trees=trees, depth=_DEPTH, rate=_RATE,
    )  # fmt: skip


def judge(questions: list[Question], trees: int) -> tuple[list[Question], list[tuple[float, float]]]:
    """Every judged clip with the tempo and the confidence of a ranker that has heard nothing of its source."""
    sources = sorted({question.clip.source for question in questions if not question.clip.made_up})
    judged: list[Question] = []
    answers: list[tuple[float, float]] = []
    for source in sources:
        ranker = train([question for question in questions if question.clip.source != source], trees)
        for question in questions:
            if question.clip.source == source and question.clip.judged:
                judged.append(question)
                answers.append(answer(question, ranker))
    # The made-up clips: a fifth of them unheard is enough to see how they fare.
    held = [q for q in questions if q.clip.made_up and number(q.clip) % 5 == 0]
    names = {id(question) for question in held}
    ranker = train([question for question in questions if id(question) not in names], trees)
    return [*judged, *held], [*answers, *(answer(question, ranker) for question in held)]


def written(judged: list[Question], answers: list[tuple[float, float]]) -> list[dict[str, float | str | bool]]:
    """The answers to the recorded loops; those to the cuts of a loop in the order of `judged_loops`.

    Nothing that made an answer has heard its source: not the ranker, not the curve that makes a confidence of its
    likelihood, not the nets that may take the loop for a one-shot. `withheld` says that these did.
    """
    loops = list(judged_loops())
    one_shot = without_tempo([loop.samples for loop in loops], [loop.source for loop in loops])
    withheld: dict[tuple[str, str], list[bool]] = defaultdict(list)
    for loop, hidden in zip(loops, one_shot, strict=True):
        withheld[loop.name, loop.form].append(hidden)
    confidence = unheard_confidence(judged, answers)
    return [
        {
            "name": question.clip.name, "form": question.clip.form, "source": question.clip.source,
            "tempo": question.clip.tempo, "bpm": bpm, "confidence": float(sure),
            "withheld": withheld[question.clip.name, question.clip.form].pop(0),
        }
        for question, (bpm, _), sure in zip(judged, answers, confidence, strict=True)
        if not question.clip.made_up
    ]  # fmt: skip


def number(clip: Clip) -> int:
    return int(clip.name.split("-")[-1])


def answer(question: Question, ranker: Trees) -> tuple[float, float]:
    best = ranked(question.candidates, ranker(question.rows))
    return best.bpm, best.confidence


def right(tempo: float, bpm: float, *factors: float, within: float = 0.04) -> bool:
    return tempo > 0 and any(abs(bpm / tempo / factor - 1) < within for factor in factors or (1.0,))


def report(judged: list[Question], answers: list[tuple[float, float]]) -> None:
    table: dict[tuple[str, str], list[list[bool]]] = defaultdict(list)
    for question, (bpm, _) in zip(judged, answers, strict=True):
        clip = question.clip
        source = clip.source
        if clip.made_up:
            source = source if source.removeprefix("made up: ") in _PLAIN else "made up"
        row = [
            right(clip.tempo, bpm),
            right(clip.tempo, bpm, within=0.01),
            right(clip.tempo, bpm, 1, 2, 3, 1 / 2, 1 / 3),
            question.target.max() > 0,
        ]
        table[clip.form, source].append(row)
        if not clip.made_up:
            table[clip.form, "all recorded"].append(row)
    print(f"\n{'':34s}{'clips':>7s}{'acc 1':>8s}{'1 %':>8s}{'acc 2':>8s}{'among':>8s}")
    for form, source in sorted(table):
        rows = np.array(table[form, source], np.float64)
        figures = "".join(f"{100 * mean:8.1f}" for mean in rows.mean(axis=0))
        print(f"{form:8s}{source:26s}{len(rows):7d}{figures}")


def calibrated(judged: list[Question], answers: list[tuple[float, float]]) -> tuple[Array, Array]:
    """What confidence has meant for recorded loops of unheard sources: steps of it, and the share of right answers.

    Prints how well that holds for each source when it is learned from the others.
    """
    said, good, source = _outcomes(judged, answers)
    sure = unheard_confidence(judged, answers)
    recorded_loops = source != ""
    for low, high in ((0, 0.3), (0.3, 0.5), (0.5, 0.7), (0.7, 0.8), (0.8, 0.9), (0.9, 1.01)):
        here = (sure >= low) & (sure < high)
        for name, which in (("recorded", here & recorded_loops), ("made up", here & ~recorded_loops)):
            if which.any():
                share = 100 * good[which].mean()
                print(f"confidence {low:.1f} to {high:.1f}, {name}: {which.sum()} answers, {share:.1f} % right")
    return _curve(said[recorded_loops], good[recorded_loops])


def unheard_confidence(judged: list[Question], answers: list[tuple[float, float]]) -> Array:
    """Confidence in each answer, by what likelihood has meant for other sources than the answer's."""
    said, good, source = _outcomes(judged, answers)
    sure = np.zeros(len(said))
    for left_out in sorted(set(source)):
        here, others = source == left_out, (source != left_out) & (source != "")
        sure[here] = np.interp(said[here], *_curve(said[others], good[others]))
    return sure


def _outcomes(
    judged: list[Question], answers: list[tuple[float, float]]
) -> tuple[Array, npt.NDArray[np.bool_], npt.NDArray[np.str_]]:
    """How likely each answer was said to be, whether it was right, and its source: "" for what is made up."""
    said = np.array([likelihood for _, likelihood in answers])
    good = np.array([right(q.clip.tempo, bpm) for q, (bpm, _) in zip(judged, answers, strict=True)])
    source = np.array(["" if question.clip.made_up else question.clip.source for question in judged])
    return said, good, source


def _curve(said: Array, good: npt.NDArray[np.bool_]) -> tuple[Array, Array]:
    """A logistic curve on the log odds (J. Platt, 1999), less `_CAUTION`: steps, and what they have meant."""
    curve = LogisticRegression(C=100).fit(_log_odds(said)[:, None], good)
    steps = np.linspace(0, 1, 101)
    return steps, 1 / (1 + np.exp(_CAUTION - curve.decision_function(_log_odds(steps)[:, None])))


def _log_odds(chance: Array) -> Array:
    chance = np.clip(chance, 0.002, 0.998)
    return np.log(chance / (1 - chance))


if __name__ == "__main__":
    main()
