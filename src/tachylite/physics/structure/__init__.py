"""Structure of matter: pair distributions, bonds, angles, rings, scattering."""
