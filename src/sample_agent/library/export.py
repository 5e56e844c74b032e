"""Turning a collection into an archive for the SD card."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict
from pathlib import Path

from sample_agent.conversion import convert_to_wav
from sample_agent.core.storage import ObjectMissing, Storage
from sample_agent.engine import AudioError
from sample_agent.engine.pool import EnginePool
from sample_agent.library.card import CardItem, Converted, NotConverted, stream_card
from sample_agent.library.models import Collection, Sample


async def export_collection(
    collection: Collection, samples: Sequence[Sample], storage: Storage, pool: EnginePool
) -> AsyncIterator[bytes]:
    """The archive, block by block. One sample at a time is fetched and converted, in a worker process.

    A sample that cannot be converted is named in the manifest with its reason; the others are exported.
    """
    with tempfile.TemporaryDirectory(prefix="sample-agent-export-") as folder:
        source, destination = Path(folder, "source"), Path(folder, "converted.wav")

        async def convert(item: CardItem) -> Converted:
            sample = by_id[item.sample_id]
            try:
                await storage.copy_to(sample.file_key, source)
                report = await pool.run(convert_to_wav, str(source), str(destination))
            except ObjectMissing as error:
                raise NotConverted("The file is not in storage any more.") from error
            except AudioError as error:
                raise NotConverted(error.message) from error
            return Converted(destination, {"original_file": sample.filename, **asdict(report)})

        by_id = {str(sample.id): sample for sample in samples}
        items = [CardItem(sample_id=str(sample.id), name=sample.name) for sample in samples]
        async for block in stream_card(collection.name, items, convert):
            yield block
