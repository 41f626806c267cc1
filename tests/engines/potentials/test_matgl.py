import json
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.build import bulk
from tests.engines.potentials.sample_structures import melt, state_of
from tests.reference_data import reference

from tachylite.engines.contract import check_contract
from tachylite.engines.potentials import matgl
from tachylite.engines.potentials.matgl import MatglPotential
from tachylite.engines.potentials.matgl_weights import FILES, find_weights, read_weights
from tachylite.errors import InputError, MissingPackageError

pytest.importorskip("matgl")

TENSORNET = reference("models/TensorNet-MatPES-PBE-v2025.1-PES")
CPU = torch.device("cpu")
STRUCTURES = [melt("Li3PO4", 2, 12.0, seed=4), melt("NaCl", 3, 24.0, seed=6), bulk("Cu")]
ODD = [
    Atoms("LiP", positions=[[0, 0, 0], [10, 10, 10]], cell=[20.0] * 3, pbc=True),
    Atoms("O3", positions=[[0, 0, 0], [1.3, 0, 0], [9, 9, 9]], cell=[20.0] * 3, pbc=True),
    Atoms("CO2", positions=[[0, 0, 0], [0, 0, 1.16], [0, 0, -1.16]], cell=[9.0] * 3, pbc=True),
]
FEW = ("Li", "O", "P", "Na", "Cl", "Cu", "C")

needs_tensornet = pytest.mark.reference("models/TensorNet-MatPES-PBE-v2025.1-PES")


@pytest.fixture(scope="module")
def nets() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import matgl.ext.ase
        import matgl.models

    return matgl


@pytest.fixture(scope="module")
def folders(nets: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A potential of every kind with random weights for seven elements, as MatGL writes it."""
    root = tmp_path_factory.mktemp("matgl")
    small: dict[str, dict[str, Any]] = {
        "TensorNet": {"units": 16, "is_intensive": False, "rbf_type": "SphericalBessel", "use_smooth": True},
        "M3GNet": {"units": 16, "is_intensive": False},
        "CHGNet": {},
    }
    with torch.random.fork_rng():
        torch.manual_seed(0)
        for kind, options in small.items():
            network = getattr(nets.models, kind)(element_types=FEW, **options)
            references = torch.linspace(-5.0, -1.0, len(FEW))
            nets.apps.pes.Potential(network, 0.0, 1.7, references).save(root / kind)
    return {kind: root / kind for kind in small}


def copy_of(folder: Path, to: Path) -> Path:
    return Path(shutil.copytree(folder, to / folder.name, copy_function=shutil.copyfile))


def assert_like_matgl(nets: Any, folder: Path, structures: list[Atoms]) -> None:
    """Compare with MatGL's own calculator, which takes positions in single precision."""
    answer = MatglPotential(read_weights(folder), precision=torch.float64)(state_of(structures))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = nets.load_model(folder).double().eval()
        calculator = nets.ext.ase.PESCalculator(theirs, stress_unit="eV/A3")
        forces = np.split(answer["forces"].numpy(), np.cumsum([len(atoms) for atoms in structures])[:-1])
        for index, atoms in enumerate(structures):
            atoms = atoms.copy()
            atoms.calc = calculator
            energy = atoms.get_potential_energy()
            assert float(answer["energy"][index]) == pytest.approx(energy, abs=1e-5 * len(atoms))
            np.testing.assert_allclose(forces[index], atoms.get_forces(), rtol=1e-4, atol=1e-3)
            np.testing.assert_allclose(answer["stress"][index], calculator.results["stress"], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", ["TensorNet", "M3GNet", "CHGNet"])
def test_like_matgl(kind: str, nets: Any, folders: dict[str, Path]) -> None:
    assert_like_matgl(nets, folders[kind], STRUCTURES)


@needs_tensornet
def test_published_weights_like_matgl(nets: Any) -> None:
    assert_like_matgl(nets, TENSORNET, [*STRUCTURES, *ODD[1:]])


@pytest.mark.slow
@pytest.mark.parametrize("precision", [torch.float32, torch.float64])
@pytest.mark.parametrize("kind", ["TensorNet", "M3GNet", "CHGNet"])
def test_every_kind_keeps_the_contract(kind: str, precision: torch.dtype, folders: dict[str, Path]) -> None:
    potential = MatglPotential(read_weights(folders[kind]), precision=precision)
    check_contract(potential, STRUCTURES[:2], precision=str(precision).removeprefix("torch."))


@pytest.mark.parametrize("kind", ["TensorNet", "M3GNet", "CHGNet"])
def test_few_neighbours_or_none(kind: str, folders: dict[str, Path]) -> None:
    potential = MatglPotential(read_weights(folders[kind]), precision=torch.float64)
    together = potential(state_of(ODD))
    assert together["forces"].isfinite().all()
    assert together["forces"][:2].abs().max() < 1e-12  # two atoms 17 A apart
    alone = torch.cat([potential(state_of([atoms]))["energy"] for atoms in ODD])
    torch.testing.assert_close(together["energy"], alone, rtol=0, atol=1e-9)
    lonely = potential(state_of(ODD[:1]))
    assert lonely["stress"].abs().max() < 1e-12


def test_only_what_is_asked_for(folders: dict[str, Path]) -> None:
    potential = MatglPotential(read_weights(folders["M3GNet"]))
    full = potential(state_of(STRUCTURES))
    potential.compute_stress = False
    assert set(potential(state_of(STRUCTURES))) == {"energy", "forces"}
    potential.compute_forces = False
    energy = potential(state_of(STRUCTURES))
    assert set(energy) == {"energy"}
    torch.testing.assert_close(energy["energy"], full["energy"])


@needs_tensornet
def test_published_weights_are_read() -> None:
    model = matgl.load(str(TENSORNET), CPU)
    assert model.sha256 in matgl.KNOWN_ENERGIES
    assert model.name == "TensorNet-MatPES-PBE-v2025.1-PES"
    assert len(model.elements) == 89
    assert 94 in model.elements
    assert 84 not in model.elements


@needs_tensornet
def test_messages_in_the_old_direction_are_refused(tmp_path: Path) -> None:
    """MatGL 2 summed messages at the end of an edge, where MatGL 4 sums them at its start, and says nothing."""
    folder = copy_of(TENSORNET, tmp_path)
    tensors = torch.load(folder / "state.pt", weights_only=True)
    ends = tensors["model.tensor_embedding.emb2.weight"]
    tensors["model.tensor_embedding.emb2.weight"] = torch.cat(ends.chunk(2, dim=1)[::-1], dim=1)
    torch.save(tensors, folder / "state.pt")
    with pytest.raises(InputError, match=r"misread: crystalline MgO has a pressure of -23\.. GPa"):
        matgl.load(str(folder), CPU)


@needs_tensornet
def test_known_weights_must_give_the_known_energy(monkeypatch: pytest.MonkeyPatch) -> None:
    (sha256,) = matgl.KNOWN_ENERGIES
    monkeypatch.setitem(matgl.KNOWN_ENERGIES, sha256, -1.35)
    with pytest.raises(InputError, match=r"misread: Li2O has -4\.69.. instead of -1\.3500 eV/atom"):
        matgl.load(str(TENSORNET), CPU)


def test_old_weights_for_few_elements_are_refused(folders: dict[str, Path], tmp_path: Path) -> None:
    folder = copy_of(folders["TensorNet"], tmp_path)
    assert matgl.load(str(folder), CPU).elements == {3, 6, 8, 11, 15, 17, 29}
    arguments = torch.load(folder / "model.pt", weights_only=True)
    arguments["model"]["@model_version"] -= 1
    torch.save(arguments, folder / "model.pt")
    with pytest.raises(InputError, match="were written for an older matgl"):
        matgl.load(str(folder), CPU)


def spoil(name: str) -> Callable[[Path], None]:
    def cut(folder: Path) -> None:
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: len(content) // 2])

    return cut


@pytest.mark.parametrize("name", FILES)
def test_damaged_files_are_named(name: str, folders: dict[str, Path], tmp_path: Path) -> None:
    folder = copy_of(folders["M3GNet"], tmp_path)
    spoil(name)(folder)
    with pytest.raises(InputError, match=f"{folder} holds no potential of MatGL") as error:
        matgl.load(str(folder), CPU)
    assert "\n" not in str(error.value)


def test_missing_files_are_named(folders: dict[str, Path], tmp_path: Path) -> None:
    folder = copy_of(folders["M3GNet"], tmp_path)
    (folder / "state.pt").unlink()
    with pytest.raises(InputError, match=r"is no MatGL model: it has no state\.pt"):
        matgl.load(str(folder), CPU)
    with pytest.raises(InputError, match="engine 'matgl' needs a model: matgl:FOLDER"):
        matgl.load(None, CPU)


def test_a_network_without_a_potential_is_refused(nets: Any, tmp_path: Path) -> None:
    network = nets.models.TensorNet(element_types=FEW, units=8)
    network.save(tmp_path / "network")
    with pytest.raises(InputError, match="holds no potential of MatGL"):
        matgl.load(str(tmp_path / "network"), CPU)
    nets.apps.pes.Potential(network).save(tmp_path / "intensive")
    with pytest.raises(InputError, match="cannot be run: it predicts an intensive property"):
        matgl.load(str(tmp_path / "intensive"), CPU)
    extensive = nets.models.TensorNet(element_types=FEW, units=8, is_intensive=False)
    nets.apps.pes.Potential(extensive, data_mean=0.3).save(tmp_path / "shifted")
    with pytest.raises(InputError, match="cannot be run: it adds a constant to every system"):
        matgl.load(str(tmp_path / "shifted"), CPU)


def test_a_name_is_looked_up_where_matgl_keeps_it(
    folders: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub

    downloads = []

    def download(repository: str, name: str, *, cache_dir: Path, local_files_only: bool) -> str:
        downloads.append((repository, name, local_files_only))
        if local_files_only:
            raise FileNotFoundError(name)
        return str(folders["M3GNet"] / name)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    assert find_weights("Some-Model") == folders["M3GNet"]
    assert {repository.partition("/")[2] for repository, *_ in downloads} == {"Some-Model"}
    assert downloads[0][2]
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", lambda *_, **__: (_ for _ in ()).throw(OSError("offline")))
    with pytest.raises(InputError, match=r"there is no folder 'Some-Model', and no MatGL model of that name") as error:
        find_weights("Some-Model")
    assert "\n" not in str(error.value)


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch, folders: dict[str, Path]) -> None:
    monkeypatch.setitem(sys.modules, "matgl", None)
    with pytest.raises(MissingPackageError, match="needs the package matgl: pip install matgl"):
        matgl.load(str(folders["M3GNet"]), CPU)


ASKS_NOBODY = """
import json, sys
def refuse(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo"):
        sys.exit(f"asked the network: {arguments}")
sys.addaudithook(refuse)
from tachylite.engines.potentials.loading import load_potential
print(json.dumps(sorted(load_potential("matgl", sys.argv[1], "cpu").elements)))
"""


@pytest.mark.slow
def test_loading_a_folder_asks_no_network_and_says_nothing(folders: dict[str, Path]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ASKS_NOBODY, str(folders["TensorNet"])], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert json.loads(done.stdout) == [3, 6, 8, 11, 15, 17, 29]
