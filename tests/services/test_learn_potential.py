"""Learning a potential while exploring, through launchers: the potential and the rounds of a local run."""

from pathlib import Path
from typing import Any

import pytest
from tests.services.cluster import NEEDS_SERVICES, Cluster
from tests.services.queues import rapidfire, set_up_fireworks

from tachylite.errors import InputError
from tachylite.flows.learn_potential import LearnPotentialMaker, run_learn_potential
from tachylite.jobs import potential as jobs
from tachylite.launchers.submission import submit_potential
from tachylite.schemas import Protocol
from tachylite.schemas.potential import LearnedPotential, PotentialFiles
from tachylite.stores import open_store

pytest.importorskip("neppo")
pytestmark = NEEDS_SERVICES


def protocol(name: str, temperature_k: list[float]) -> Protocol:
    hold = {"kind": "hold", "temperature_k": temperature_k, "time_ps": 0.4}
    settings = {"timestep_fs": 2, "record_every": 5, "packing": {"n_atoms": 16}, "steps": [hold]}
    return Protocol.model_validate({"name": name, **settings})


def make_maker(**changes: Any) -> LearnPotentialMaker:
    settings = {"steps": 100, "radial_cutoff_a": 4.5, "angular_cutoff_a": 3.5, "neurons": 8, "learning_rate": 1e-2}
    options: dict[str, Any] = {"committee": 2, "labels": 8, "target_ev_a": 0.001, "rounds": 2, "settings": settings}
    options |= {"first": protocol("first", [300, 900]), "protocol": protocol("used", [1200])}
    return LearnPotentialMaker(teacher="ase:emt", **options | changes)


def bare(rounds: Path) -> dict[str, Any]:
    """What the rounds say, without the names of files and the times."""
    learned = LearnedPotential.model_validate_json(rounds.read_bytes())
    kept = learned.model_dump(exclude={"created_at": True, "card": True})
    return kept | {"errors": learned.card.evaluation.model_dump(), "frames": learned.card.training.fingerprint}


def test_fireworks_gives_the_potential_of_a_local_run_though_a_job_failed(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The teacher is killed in the second round; run again, it answers, and nothing is trained or labelled twice."""
    local = PotentialFiles(tmp_path / "local.txt")
    run_learn_potential(
        ["Cu"], make_maker(), store=open_store(tmp_path / "local"), workdir=tmp_path / "work", file=local.file
    )
    set_up_fireworks(cluster)
    campaign = submit_potential(["Cu"], make_maker(), to="fireworks.yaml", store="store.yaml")
    real, asked = jobs.ask, []

    def fails_once(*arguments: Any) -> Any:
        asked.append(1)
        if len(asked) == 2:
            raise RuntimeError("the node is gone")
        return real(*arguments)

    monkeypatch.setattr(jobs, "ask", fails_once)
    rapidfire()
    assert "a potential of Cu, fireworks" in (status := cluster.tachylite("status", "newest"))
    assert "the node is gone" in status
    with pytest.raises(InputError, match="have been submitted before"):
        submit_potential(["Cu"], make_maker(rounds=3), to="fireworks.yaml", store="store.yaml")
    cluster.tachylite("rerun")
    rapidfire()
    assert "everything is done" in cluster.tachylite("status", "newest")
    assert len(asked) == 3
    folder = cluster.folder / "work" / campaign.campaign_id
    assert (len(list(folder.glob("training-*"))), len(list(folder.glob("labels-*.json")))) == (2, 2)
    said = cluster.tachylite("export", "--potential", "cu.txt", "--campaign", campaign.campaign_id)
    assert "not reached (1 meV/Å along fresh runs of used)" in said
    exported = PotentialFiles(cluster.folder / "cu.txt")
    assert exported.file.read_bytes() == local.file.read_bytes()
    assert exported.member(1).read_bytes() == local.member(1).read_bytes()
    assert bare(exported.rounds) == bare(local.rounds)
    submit_potential(["Cu"], make_maker(rounds=3), to="fireworks.yaml", store="store.yaml")
    rapidfire()
    assert (len(list(folder.glob("training-*"))), len(list(folder.glob("labels-*.json")))) == (3, 3)
    cluster.tachylite("export", "--potential", "longer.txt")
    longer = LearnedPotential.model_validate_json(PotentialFiles(cluster.folder / "longer.txt").rounds.read_bytes())
    assert [r.number for r in longer.rounds] == [1, 2, 3]
    assert longer.rounds[:2] == LearnedPotential.model_validate_json(local.rounds.read_bytes()).rounds
