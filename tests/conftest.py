"""Settings of all tests, made before anything imports torch."""

import os
import signal

import pytest

# the tests run in parallel, one thread each: two threads on one core wait for each other
os.environ["OMP_NUM_THREADS"] = "1"

# what is started in the background of a shell ignores SIGINT, and so does all that it starts
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip or fail a test whose published data are missing, before its fixtures are made."""
    from tests.reference_data import require

    for mark in item.iter_markers("reference"):
        require(*mark.args)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the slow tests first, so that no worker begins a long one when the others are done."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)
