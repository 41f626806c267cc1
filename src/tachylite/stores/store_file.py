"""A store by its file, so that what a launcher keeps of a job holds a path and no password."""

from tachylite.stores.opening import OpenedStore, open_store


class StoreFile(OpenedStore):
    """The store that a folder or a YAML file describes, opened where a job runs.

    Serialised, it is the path; the file has to be there on every machine that runs jobs.
    """

    def __init__(self, path: str) -> None:
        self.path = path

    def connect(self, force_reset: bool = False) -> None:
        """Open what the path describes."""
        opened = open_store(self.path)
        super().__init__(opened.docs_store, opened.additional_stores)
        super().connect(force_reset=force_reset)
