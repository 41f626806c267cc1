"""Running a flow in this process."""

import warnings
from collections.abc import Mapping
from typing import Any

from jobflow import Flow, JobStore, Response, run_locally


def run_here(flow: Flow, store: JobStore, campaign: str | None = None) -> Mapping[str, Mapping[int, Response[Any]]]:
    """Run a flow, with an exception where a job raises one; what an earlier run of the campaign has stored goes."""
    store.connect()
    if campaign is not None:
        flow.update_metadata({"campaign": campaign})
        store.remove_docs({"metadata.campaign": campaign})
    with warnings.catch_warnings():
        # of jobflow's own use of monty
        warnings.filterwarnings("ignore", "cd is deprecated", FutureWarning)
        responses: Mapping[str, Mapping[int, Response[Any]]] = run_locally(
            flow, store=store, log=False, raise_immediately=True
        )
    return responses
