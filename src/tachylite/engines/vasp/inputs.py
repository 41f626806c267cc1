"""Input sets of VASP: molecular dynamics as in MPMorph, relaxations and statics as in the Materials Project."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tachylite.engines.espresso.settings import half_steps, k_mesh
from tachylite.engines.vasp.setup import PotcarFunctional, quietly
from tachylite.schemas import Segment, State
from tachylite.units import KBAR_PER_GPA

if TYPE_CHECKING:
    from pymatgen.core import Structure

_EDIFF_PER_ATOM_EV = 1e-5
"""EDIFF of molecular dynamics per atom, as in pymatgen's set for it; atomate2 0.1.6 does not apply it."""

_FRICTION_PER_PS = 10.0
"""Friction of the Langevin thermostat: a relaxation time of 100 fs, as in the other engines."""

_FRICTION_AT_PRESSURE_PER_PS = 1.0
"""Of the atoms at constant pressure, where VASP has no other thermostat: more would slow their diffusion."""

_LATTICE_MASS_U = 1000.0
"""Mass of the lattice, PMASS: volumes of some hundred atoms swing within a picosecond."""

_NO_EFFECT = (
    "EDIFF_PER_ATOM",
    "LAECHG",
    "LDAU",
    "LDAUJ",
    "LDAUL",
    "LDAUPRINT",
    "LDAUTYPE",
    "LDAUU",
    "LORBIT",
    "LPLANE",
    "LSCALU",
    "NSIM",
)
"""Keys of atomate2's set to leave out: unknown to VASP, without effect in molecular dynamics, or for the machine."""

_ENSEMBLES: dict[str, dict[str, Any]] = {
    "nose-hoover": {"MDALGO": 2, "SMASS": 0},
    "langevin": {"MDALGO": 3, "SMASS": None},
    "none": {"MDALGO": 1, "ANDERSEN_PROB": 0.0, "SMASS": None},
}


_PLAIN_PBE: dict[str, Any] = {
    "GGA": "PE",
    "ISMEAR": -1,
    "SIGMA": 0.05,
    "EDIFF": 1e-6,
    "LDAU": False,
}
"""Settings of the espresso engine: PBE without +U, Fermi-Dirac smearing of 0.05 eV, electronic steps to 1e-7 Ry."""


def order_of(state: State) -> NDArray[np.int64]:
    """Indices in the state of the atoms in POSCAR order, which groups them by element: (n_atoms,)."""
    return np.argsort(state.numbers, kind="stable").astype(np.int64)


def structure_of(state: State) -> "Structure":
    """A pymatgen structure in the order of the POSCAR, with velocities (A/fs) if the state has them."""
    from pymatgen.core import Lattice, Structure

    order = order_of(state)
    properties = {} if state.velocities is None else {"velocities": np.asarray(state.velocities)[order].tolist()}
    return Structure(
        Lattice(state.cell),
        np.asarray(state.numbers)[order].tolist(),
        np.asarray(state.positions)[order],
        coords_are_cartesian=True,
        site_properties=properties,
    )


def md_set(
    state: State,
    segment: Segment,
    begin: int,
    steps: int,
    *,
    encut_ev: float,
    spin_polarized: bool,
    potcar_functional: PotcarFunctional,
    plain_kspacing_per_a: float | None = None,
) -> Any:
    """Input set of the steps `begin` to `begin + steps` of a segment: atomate2's MPMorph set with corrections.

    Gamma point, no +U. The energy cutoff is explicit, and EDIFF is the set's value per atom times the atoms. With
    `plain_kspacing_per_a`, smearing, accuracy and k-mesh are those of the espresso engine instead.
    """
    from atomate2.vasp.sets.mpmorph import MPMorphMDSetGenerator

    elements = len(set(state.numbers))
    settings: dict[str, Any] = dict.fromkeys(_NO_EFFECT) | _ENSEMBLES[segment.thermostat]
    settings |= {
        "ENCUT": encut_ev,
        "EDIFF": round(_EDIFF_PER_ATOM_EV * len(state.numbers), 10),
        "LWAVE": False,  # every chunk has a folder of its own
        "TEBEG": segment.temperature_at(begin),
        "TEEND": segment.temperature_at(begin + steps - 1),
    }
    if segment.thermostat == "langevin":
        settings["LANGEVIN_GAMMA"] = [_FRICTION_PER_PS] * elements
    if segment.pressure_gpa is not None:
        settings |= _ENSEMBLES["langevin"] | {
            "ISIF": 3,
            "PSTRESS": segment.pressure_gpa * KBAR_PER_GPA,
            "LANGEVIN_GAMMA": [_FRICTION_AT_PRESSURE_PER_PS] * elements,
            "LANGEVIN_GAMMA_L": _FRICTION_PER_PS,
            "PMASS": _LATTICE_MASS_U,
        }
        settings |= {"LATTICE_CONSTRAINTS": [False, False, True]} if segment.cell == "normal" else {}
    if plain_kspacing_per_a is not None:
        settings |= {key: value for key, value in _PLAIN_PBE.items() if key != "LDAU"}
    with quietly():
        return MPMorphMDSetGenerator(
            structure=structure_of(state),
            nsteps=steps,
            time_step=segment.timestep_fs,
            spin_polarized=spin_polarized,
            user_incar_settings=settings,
            user_potcar_functional=potcar_functional,
            sort_structure=False,
            **_shifted_mesh(state, plain_kspacing_per_a),
        )


def _shifted_mesh(state: State, kspacing_per_a: float | None) -> dict[str, Any]:
    """The k-mesh of the espresso engine as an option of an input set; nothing without a distance of k-points."""
    from pymatgen.io.vasp.inputs import Kpoints

    if kspacing_per_a is None:
        return {}
    mesh = k_mesh(state.cell, kspacing_per_a)
    first, second, third = half_steps(mesh)
    shift = first / 2, second / 2, third / 2  # VASP shifts by fractions of a step
    return {"user_kpoints_settings": Kpoints.gamma_automatic(kpts=mesh, shift=shift)}


def energy_set(
    kind: str,
    state: State,
    *,
    relax_cell: bool,
    potcar_functional: PotcarFunctional,
    max_force_ev_a: float | None = None,
    plain_kspacing_per_a: float | None = None,
) -> Any:
    """Input set of a `relax` or a `static`, as atomate2's Materials Project jobs have them, with their +U.

    A relaxation ends by the energy, as theirs do, or by `max_force_ev_a` if that is given. The settings are those of
    the calibration of the Materials Project's corrections, DOI 10.1103/PhysRevB.84.045115. With
    `plain_kspacing_per_a` they are those of the espresso engine instead.
    """
    from pymatgen.io.vasp.sets import MPRelaxSet, MPStaticSet

    common: dict[str, Any] = {
        "structure": structure_of(state.model_copy(update={"velocities": None})),
        "force_gamma": True,
        "auto_metal_kpoints": True,
        "inherit_incar": False,
        "sort_structure": False,
        "user_potcar_functional": potcar_functional,
        **_shifted_mesh(state, plain_kspacing_per_a),
    }
    settings: dict[str, Any] = {} if plain_kspacing_per_a is None else dict(_PLAIN_PBE)
    with quietly():
        if kind == "static":
            return MPStaticSet(**common, user_incar_settings=settings)
        settings |= {} if relax_cell else {"ISIF": 2}
        if max_force_ev_a is not None:
            settings["EDIFFG"] = -max_force_ev_a
        return MPRelaxSet(**common, user_incar_settings=settings)


def write_inputs(input_set: Any, folder: Path, *, potcar_spec: bool = False) -> None:
    """Write INCAR, KPOINTS, POSCAR and POTCAR, with the INCAR keys of the user's atomate2 settings.

    With `potcar_spec`, POTCAR.spec is written instead of POTCAR: the symbols of the potentials, one a line. Without
    it, raises FileNotFoundError or ValueError where a POTCAR is missing.
    """
    from atomate2.vasp.files import write_vasp_input_set

    with quietly():
        # clean_prev would remove files of these names from the folder that the process runs in
        write_vasp_input_set(
            input_set.structure, input_set, directory=folder, clean_prev=False, potcar_spec=potcar_spec
        )
