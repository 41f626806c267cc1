"""What the pages take from a request."""

from collections.abc import Collection
from typing import Annotated

from fastapi import Depends, Request

from tachylite.errors import InputError
from tachylite.serve.contents import Contents


def contents_of(request: Request) -> Contents:
    """The store that is shown."""
    contents: Contents = request.app.state.contents
    return contents


StoreContents = Annotated[Contents, Depends(contents_of)]
"""A parameter of a page: the store that is shown."""


def strict_words(request: Request, allowed: Collection[str]) -> list[tuple[str, str]]:
    """Parameters of an address; raises InputError for one that the page does not know."""
    words = request.query_params.multi_items()
    unknown = [name for name, _ in words if name not in allowed]
    if unknown:
        raise InputError(f"there is no parameter {unknown[0][:60]!r}")
    return words
