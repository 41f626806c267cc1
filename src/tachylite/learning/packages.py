"""Packages that only learning needs."""

from collections.abc import Iterator
from contextlib import contextmanager

from tachylite.errors import MissingPackageError


@contextmanager
def requires_package(package: str) -> Iterator[None]:
    """Turn a failing import inside the block into a MissingPackageError with the command that brings the package."""
    try:
        yield
    except ImportError as error:
        raise MissingPackageError(f"{package} is not installed ({error}); pip install 'tachylite[learn]'") from None
