"""Running the application until it is interrupted."""

import os
from typing import TYPE_CHECKING

import uvicorn

from tachylite.serve.application import make_application
from tachylite.serve.gate import Access

if TYPE_CHECKING:
    from jobflow import JobStore

_CONNECTIONS = 256
_IDLE_S = 10
_NICENESS = 10
"""Of the server: a computation on the same core gets nine tenths of it."""


def run_server(store: "JobStore", host: str, port: int, access: Access) -> None:
    """Serve a store at an address until Ctrl-C; what a browser does not finish in time is closed.

    The process steps back behind those that compute.
    """
    os.nice(_NICENESS)
    uvicorn.run(
        make_application(store, access),
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws="none",
        limit_concurrency=_CONNECTIONS,
        timeout_keep_alive=_IDLE_S,
        timeout_graceful_shutdown=_IDLE_S,
    )
