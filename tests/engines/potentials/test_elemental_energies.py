import contextlib
import io
import statistics
import warnings

import pytest
from ase import Atoms

from tachylite.physics.elements import reference_crystal


@pytest.mark.slow
def test_chgnet_finds_the_energies_of_the_reference_crystals() -> None:
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        from chgnet.model import CHGNet
        from pymatgen.io.ase import AseAtomsAdaptor

        network = CHGNet.load(verbose=False, use_device="cpu")
        computed, published = {}, {}
        for symbol in ("Li", "O", "Si", "P", "Cu", "Zr", "S", "Al"):
            crystal = reference_crystal(symbol)
            atoms = Atoms(numbers=crystal.numbers, positions=crystal.positions, cell=crystal.cell, pbc=True)
            answer = network.predict_structure(AseAtomsAdaptor.get_structure(atoms), task="e")
            assert isinstance(answer, dict)
            computed[symbol], published[symbol] = float(answer["e"]), crystal.energy_ev_per_atom
    # CHGNet's mean error is 0.03 eV/atom over MPtrj (DOI 10.1038/s42256-023-00716-3), more for elements
    differences = {symbol: abs(computed[symbol] - (published[symbol] or 0.0)) for symbol in computed}
    assert max(differences.values()) < 0.15
    assert statistics.median(differences.values()) < 0.05
