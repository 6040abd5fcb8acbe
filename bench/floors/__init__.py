"""The bare jobs: small programs that do what a measurement compares with, and nothing else."""
