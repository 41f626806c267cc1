"""The batched engine: molecular dynamics and relaxation of whole cohorts with a potential, by TorchSim."""
