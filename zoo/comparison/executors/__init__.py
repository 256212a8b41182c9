"""Where jobs run: this machine, a Ray cluster, Slurm, or what an extension brings."""
