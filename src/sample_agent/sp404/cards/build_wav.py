"""From samples to plain WAV files in the folders of a card."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from sample_agent.sp404.cards.batch import OnProgress, Order, Source, prepare_all
from sample_agent.sp404.cards.build import SoundOptions
from sample_agent.sp404.cards.report import Item, LeftOut, Report, remarks
from sample_agent.sp404.cards.wav_card import CardFolders
from sample_agent.sp404.formats.wav import write_wav_blocks
from sample_agent.sp404.kits.kit import KitSample
from sample_agent.sp404.projects.content import Content, ScratchContent
from sample_agent.sp404.sound.treatment import bank_gains


@dataclass(frozen=True)
class BuiltWavCard:
    """WAV files by their path from the top of the card, and what became of each sample.

    `folder` is the name of the first folder in `IMPORT`. The files lie in the scratch folder they were made in.
    """

    folder: str
    files: Mapping[str, Content]
    report: Report


@contextmanager
def built_wav_card(
    collection: str,
    samples: Sequence[KitSample],
    sources: Mapping[str, Source],
    options: SoundOptions,
    *,
    free_bytes: int | None = None,
    scratch_dir: Path | None = None,
    workers: int | None = None,
    on_progress: OnProgress | None = None,
) -> Iterator[BuiltWavCard]:
    """Prepare samples as WAV files, in the order given; arguments, errors and scratch as for `built_project`.

    With `match_loudness` all of them are made equally loud. Nothing is stretched: the unit is told no tempo.
    """
    gains = (
        bank_gains([each.loudness for each in samples], [each.peak_db for each in samples])
        if options.match_loudness
        else (0.0,) * len(samples)
    )
    with TemporaryDirectory(prefix="sp404-", dir=scratch_dir) as scratch:
        orders = [
            Order(
                sources[each.id],
                options.treatment(each, gain_db=gain),
                write_wav_blocks,
                Path(scratch, f"{number}.WAV"),
            )
            for number, (each, gain) in enumerate(zip(samples, gains, strict=True))
        ]
        outcomes = prepare_all(orders, workers=workers, on_progress=on_progress)
        folders = CardFolders(collection)
        files: dict[str, Content] = {}
        items: list[Item] = []
        left_out: list[LeftOut] = []
        for sample, outcome in zip(samples, outcomes, strict=True):
            if isinstance(outcome, str):
                left_out.append(LeftOut(sample.id, sample.name, outcome))
                continue
            path = folders.place(sample.name)
            name = PurePosixPath(path).stem
            files[path] = ScratchContent(outcome.path, outcome.size)
            reason = options.gain_reason("to match the others")
            noted = remarks(outcome.preparation, name=name, original_name=sample.name, gain_reason=reason)
            items.append(
                Item(
                    sample_id=sample.id,
                    original_name=sample.name,
                    name=name,
                    path=path,
                    pad=None,
                    reason="",
                    size=outcome.size,
                    sha256=outcome.sha256,
                    processing=outcome.preparation,
                    remarks=noted,
                )
            )
        report = Report(collection, tuple(items), tuple(left_out), (), free_bytes)
        yield BuiltWavCard(folders.first, files, report)
