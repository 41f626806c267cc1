"""CHGNet's graphs: bonds between atoms, and angles between short bonds."""

from dataclasses import dataclass

import torch
from torch import Tensor

from tachylite.engines.potentials.neighbors import Pairs


@dataclass(frozen=True)
class Graph:
    """Bonds and angles of a batch as index arrays.

    A bond is a pair of atoms (of one image); it is seen from both its ends. Bond ends are numbered
    0 .. n_bonds-1 as seen from the first atom and n_bonds .. 2 n_bonds - 1 as seen from the second. Short
    bonds are those that form angles, and their ends are numbered likewise. An angle is an ordered pair of
    different short bond ends at one atom; the second half of the angles is the first half with left and
    right exchanged.
    """

    n_atoms: int
    n_bonds: int
    center: Tensor
    """(2 n_bonds,) atom at which a bond end is."""
    neighbor: Tensor
    """(2 n_bonds,) atom to which it points."""
    edge_rows: Tensor
    """(2 n_bonds, 3) rows of center, neighbour and bond in a table of n_atoms, n_atoms and n_bonds rows."""
    short: Tensor
    """(n_short,) numbers of the short bonds."""
    end_center: Tensor
    """(2 n_short,) atom at which a short bond end is."""
    left: Tensor
    """(n_angles,) first short bond end of an angle."""
    left_bond: Tensor
    """(n_angles,) short bond of that end."""
    right_bond: Tensor
    """(n_angles,) short bond of the second end."""
    angle_rows: Tensor
    """(n_angles, 2) rows of left end and right bond in a table of 2 n_short and n_short rows."""

    @property
    def right(self) -> Tensor:
        """(n_angles,) second short bond end of an angle."""
        return self.left.roll(len(self.left) // 2)


def build_graph(pairs: Pairs, n_atoms: int, bond_cutoff: float) -> Graph:
    """Connect pairs within the atom cutoff; those closer than `bond_cutoff` (A) form angles."""
    first, second = pairs.first, pairs.second
    n_bonds = len(first)
    center, neighbor = torch.cat([first, second]), torch.cat([second, first])
    bonds = torch.arange(n_bonds, device=first.device).repeat(2)
    short = torch.nonzero(pairs.distances < bond_cutoff).squeeze(1)
    end_center = torch.cat([first[short], second[short]])
    low, high = _end_pairs(end_center, n_atoms)
    left, right = torch.cat([low, high]), torch.cat([high, low])
    n_ends = len(end_center)
    left_bond, right_bond = (torch.where(ends < len(short), ends, ends - len(short)) for ends in (left, right))
    return Graph(
        n_atoms=n_atoms,
        n_bonds=n_bonds,
        center=center,
        neighbor=neighbor,
        edge_rows=torch.stack([center, n_atoms + neighbor, 2 * n_atoms + bonds], dim=1),
        short=short,
        end_center=end_center,
        left=left,
        left_bond=left_bond,
        right_bond=right_bond,
        angle_rows=torch.stack([left, n_ends + right_bond], dim=1),
    )


def _end_pairs(end_center: Tensor, n_atoms: int) -> tuple[Tensor, Tensor]:
    """All pairs low < high of bond ends at the same atom."""
    by_center = end_center.argsort(stable=True)
    ends_of = torch.bincount(end_center, minlength=n_atoms)
    last_of = ends_of.cumsum(0)
    place = torch.arange(len(by_center), device=by_center.device)
    partners = last_of[end_center[by_center]] - place - 1
    low = place.repeat_interleave(partners)
    counter = torch.arange(len(low), device=low.device) - (partners.cumsum(0) - partners)[low]
    return by_center[low], by_center[low + 1 + counter]
