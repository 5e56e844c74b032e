"""Turning a collection into an archive for the SD card."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict
from pathlib import Path

from sample_agent.core import examine
from sample_agent.core.scratch import private_folder
from sample_agent.core.storage import ObjectMissing, Storage
from sample_agent.engine import AudioError
from sample_agent.engine.pool import EnginePool
from sample_agent.library.card import CardItem, Converted, NotConverted, stream_card
from sample_agent.library.models import Collection, Sample


async def export_collection(
    collection: Collection, samples: Sequence[Sample], storage: Storage, pool: EnginePool, space: Path
) -> AsyncIterator[bytes]:
    """The archive, block by block. One sample at a time is fetched and converted, in a worker process.

    A sample whose file is at fault is named in the manifest with its reason; the others are exported. When storage or
    engine are away, the archive breaks off. `space` is this process's scratch space.
    """
    with private_folder(space) as folder:
        source, destination = folder / "source", folder / "converted.wav"

        async def convert(item: CardItem) -> Converted:
            sample = by_id[item.sample_id]
            try:
                await storage.copy_to(sample.file_key, source)
                report = await examine.convert(pool, source, destination)
            except ObjectMissing as error:
                raise NotConverted("The file is not in storage any more.") from error
            except AudioError as error:
                raise NotConverted(error.message) from error
            return Converted(destination, {"original_file": sample.filename, **asdict(report)})

        by_id = {str(sample.id): sample for sample in samples}
        items = [CardItem(sample_id=str(sample.id), name=sample.name) for sample in samples]
        async for block in stream_card(collection.name, items, convert):
            yield block
