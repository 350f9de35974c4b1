"""placeholder"""

from pathlib import Path


class FolderCheckpoint:
    def __init__(self, path: Path) -> None:
        raise NotImplementedError
