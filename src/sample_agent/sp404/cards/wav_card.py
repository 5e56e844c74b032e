"""Where plain WAV files go on the SP-404MK2's SD card.

The plain way onto the unit: it reads `IMPORT/` and the folders in it, and each file is put on a pad by hand.
"""

from __future__ import annotations

from sample_agent.sp404.names import device_name

FILES_PER_FOLDER = 128
"""How many samples lie in one folder. The unit's limit is not documented; long lists are slow to scroll."""


class CardFolders:
    """Where each sample of a collection goes: `IMPORT/<collection>/`, and when that is full the next folder.

    Names are those the unit accepts, all different within their folder. `first` is the name of the first folder.
    """

    def __init__(self, collection_name: str) -> None:
        self._collection_name = collection_name
        self._taken_folders: set[str] = set()
        self._taken_names: set[str] = set()
        self.first = self._current = self._next_folder()

    def place(self, sample_name: str) -> str:
        """The path, from the top of the card, of the next sample: "IMPORT/Drums/Kick 2.WAV"."""
        if len(self._taken_names) == FILES_PER_FOLDER:
            self._current = self._next_folder()
            self._taken_names.clear()
        name = device_name(sample_name, taken=self._taken_names)
        self._taken_names.add(name.lower())
        return f"IMPORT/{self._current}/{name}.WAV"

    def _next_folder(self) -> str:
        folder = device_name(self._collection_name, taken=self._taken_folders)
        self._taken_folders.add(folder.lower())
        return folder
