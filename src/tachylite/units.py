"""Internal units: A, fs, eV, K, u, e; other units appear at the edges only.

Constants are CODATA 2018 (DOI 10.1103/RevModPhys.93.025010).
"""

KB_EV = 8.617333262e-5
"""Boltzmann constant in eV/K."""

J_MOL_PER_EV = 96485.33212
"""Molar energy: 1 eV per atom in J/mol."""

GPA_PER_EV_A3 = 160.2176634
"""Pressure: 1 eV/A^3 in GPa."""

KBAR_PER_GPA = 10.0
"""Pressure: 1 GPa in kbar."""

CM2_S_PER_A2_FS = 0.1
"""Diffusivity: 1 A^2/fs in cm^2/s."""

EV_PER_U_A2_FS2 = 103.64269656
"""Energy: 1 u A^2/fs^2 in eV; a kinetic energy from masses in u and velocities in A/fs."""

G_CM3_PER_U_A3 = 1.66053906660
"""Density: 1 u/A^3 in g/cm^3."""

FS_PER_PS = 1000.0
"""Time: 1 ps in fs."""

BOHR_A = 0.529177210903
"""Length: 1 bohr in A."""

HARTREE_EV = 27.211386245988
"""Energy: 1 Hartree in eV."""
