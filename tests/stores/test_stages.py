import pytest
from jobflow import JobStore
from tests.stores.store_samples import make_material, put, simulate, submit

from tachylite.stores.stages import find_stages


@pytest.mark.filterwarnings("ignore:cd is deprecated:FutureWarning")
def test_stages_count_jobs_by_name(store: JobStore) -> None:
    assert find_stages(store) == []
    put(store, make_material(), make_material("NaCl"))
    submit(store, simulate([1]))
    stages = find_stages(store)
    assert [(stage.name, stage.jobs) for stage in stages] == [("simulate", 1), ("Material", 2)]
    assert stages[1].newest == "2026-01-01T00:00:01"
