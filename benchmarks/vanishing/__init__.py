"""Whether the generator's gradient vanishes where the theory says so, and nowhere else."""
