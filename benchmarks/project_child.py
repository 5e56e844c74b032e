"""What `project_vs_sox` measures: a folder of sounds becomes a project on a card, and nothing else."""

import sys
from pathlib import Path

from sample_agent.placing import file_source
from sample_agent.sp404.cards.build import BuildOptions, built_project
from sample_agent.sp404.kits.kit import KitSample
from sample_agent.sp404.kits.layout import layout
from sample_agent.sp404.projects.output import write_card

source, card, pads, workers = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
paths = {path.stem: path for path in sorted(source.iterdir())}
samples = [
    KitSample(name, name, "loop" if name.startswith("loop") else "one-shot", tempo=120.0, duration=2.0)
    for name in paths
]
sources = {name: file_source(path) for name, path in paths.items()}
with built_project(layout(samples), sources, BuildOptions(tempo=120), workers=workers) as built:
    written = write_card(built.project, card, 16)
if len(list(written.glob("SMPL/*.SMP"))) != pads:
    raise SystemExit("Not every pad was written.")
