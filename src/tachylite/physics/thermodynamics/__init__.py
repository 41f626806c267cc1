"""Thermodynamics: the volume of zero pressure, energies, heat capacity, glass transition, elasticity."""
