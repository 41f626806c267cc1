"""Transport: displacements, diffusivities with intervals, laws of temperature."""
