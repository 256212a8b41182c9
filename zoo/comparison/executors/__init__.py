"""Where jobs run: this machine, a Ray cluster, or Slurm."""
