"""CHGNet (Deng et al. 2023, DOI 10.1038/s42256-023-00716-3) as a TorchSim model.

`tachylite.engines.potentials.chgnet.potential.ChgnetPotential` is the model.
"""
