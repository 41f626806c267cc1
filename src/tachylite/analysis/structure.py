"""The structure of a trajectory as a document; also of trajectories that were not made here."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tachylite import readers
from tachylite.arrays import Array
from tachylite.errors import InputError
from tachylite.physics.frames import Frames, take_frames
from tachylite.physics.statistics import Estimate
from tachylite.physics.structure.bonds import Bonds, analyse_bonds, bond_cutoffs
from tachylite.physics.structure.orientation import Orientation, analyse_orientation
from tachylite.physics.structure.pair_distribution import pair_structure
from tachylite.physics.structure.rings import Rings, analyse_rings
from tachylite.physics.structure.scattering import Curve, Scattering, analyse_scattering
from tachylite.schemas import Measured, StructureAnalysis, Trajectory
from tachylite.schemas.structure import (
    BondAngles,
    CoordinationNumbers,
    GroupOrientation,
    RingStatistics,
    ScatteringAnalysis,
    StructureFactor,
)

_LONGEST_A = 8.0


def measure_structure(
    trajectory: Trajectory, temperature_k: float | None = None, since_fs: float = 0.0
) -> StructureAnalysis:
    """Measure partial g(r), coordination and bond angles over the frames from a time on.

    Up to 8 A, and short of the shortest cell edge, where an atom meets its own image.
    """
    chosen = trajectory.times_fs >= since_fs
    frames = take_frames(trajectory.positions[chosen], trajectory.cells[chosen], trajectory.numbers)
    return measure_frames(frames, temperature_k)


def measure_frames(
    frames: Frames,
    temperature_k: float | None = None,
    *,
    cutoffs_a: Mapping[str, float] | None = None,
    q_max_per_a: float | None = None,
    rings: bool = False,
    groups: Mapping[str, Sequence[str]] | None = None,
) -> StructureAnalysis:
    """Measure g(r), coordination and bond angles, up to `q_max_per_a` in 1/A the structure factors, rings, groups.

    Bonds are the pairs with a cutoff in A, like `Si-O`; without cutoffs those that `bond_cutoffs` finds. `groups` are
    the ligands of tetrahedral groups by their centre. Goes through the frames twice, and once more for each
    further analysis, and keeps none. Raises InputError for a pair without cutoff that rings or groups need, and as
    the analyses do.
    """
    _, cell = next(iter(frames))
    shortest = float(np.linalg.norm(cell, axis=1).min())
    pairs = pair_structure(frames, min(_LONGEST_A, shortest - 0.1))
    n_frames = pairs.partials[0].frames
    cutoffs = bond_cutoffs(pairs) if cutoffs_a is None else dict(cutoffs_a)
    if rings and not cutoffs:
        raise InputError("rings need bonds, and none are found; give a cutoff such as --cutoff Si-O=2.0")
    bonds = analyse_bonds(frames, cutoffs) if cutoffs else None
    scattering = None if q_max_per_a is None else analyse_scattering(frames, n_frames, q_max_per_a)
    return StructureAnalysis.model_validate(
        {
            "temperature_k": temperature_k,
            "n_frames": n_frames,
            **pairs.as_dict(),
            **_bonds(bonds),
            "scattering": None if scattering is None else _scattering(scattering),
            "rings": _rings(analyse_rings(frames, n_frames, cutoffs)) if rings else None,
            "orientations": [
                _orientation(analyse_orientation(frames, cutoffs, center, ligands))
                for center, ligands in (groups or {}).items()
            ],
        }
    )


def frames_of_file(trajectory: readers.TrajectoryReader) -> Frames:
    """Frames of a file for static analysis: read block by block whenever asked for, as the file has them."""
    return Frames(trajectory.numbers, _Blocks(trajectory))


@dataclass(frozen=True)
class _Blocks:
    trajectory: readers.TrajectoryReader

    def __iter__(self) -> Iterator[tuple[Array, Array]]:
        for block in self.trajectory.blocks(unwrap=False):
            yield block.positions, block.cells


def _bonds(bonds: Bonds | None) -> dict[str, object]:
    if bonds is None:
        return {}
    return {
        "coordinations": [
            CoordinationNumbers(
                center=one.center,
                neighbor=one.neighbor,
                cutoff_a=one.cutoff_a,
                mean=Measured(value=one.mean, error=one.mean_error),
                fractions={
                    int(n): Measured(value=float(fraction), error=float(error))
                    for n, fraction, error in zip(one.numbers, one.fractions, one.errors, strict=True)
                },
            )
            for one in bonds.coordinations
        ],
        "angles_deg": bonds.angles_deg.tolist(),
        "angles": [
            BondAngles(
                triplet="-".join(one.triplet),
                mean_deg=Measured(value=one.mean_deg, error=one.mean_error_deg),
                deviation_deg=one.deviation_deg,
                density_per_deg=one.density_per_deg.tolist(),
                density_error_per_deg=one.density_error_per_deg.tolist(),
            )
            for one in bonds.angles
        ],
    }


def _scattering(found: Scattering) -> ScatteringAnalysis:
    return ScatteringAnalysis(
        q_per_a=found.q_per_a.tolist(),
        partials={pair: _curve(curve) for pair, curve in found.partials.items()},
        neutron_f_barn_sr=None if found.neutron_f is None else _curve(found.neutron_f),
        neutron_s=None if found.neutron_s is None else _curve(found.neutron_s),
        xray_f=_curve(found.xray_f),
        xray_s=_curve(found.xray_s),
    )


def _curve(curve: Curve) -> StructureFactor:
    return StructureFactor(values=curve.values.tolist(), errors=curve.errors.tolist())


def _rings(found: Rings) -> RingStatistics:
    return RingStatistics(
        network=found.network,
        n_vertices=found.n_vertices,
        rings_per_vertex={
            int(size): Measured(value=float(value), error=float(error))
            for size, value, error in zip(found.sizes, found.rings_per_vertex, found.errors, strict=True)
        },
    )


def _orientation(found: Orientation) -> GroupOrientation:
    return GroupOrientation(
        group=f"{found.center}:{','.join(found.ligands)}",
        fraction=_measured(found.fraction),
        tetrahedrality=_measured(found.tetrahedrality),
        order={rank: _measured(order) for rank, order in found.order.items()},
        by_chance=found.by_chance,
    )


def _measured(estimate: Estimate) -> Measured:
    return Measured(value=estimate.mean, error=estimate.error)
