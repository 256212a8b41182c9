"""Code that several benchmarks share: machine, meters, processes, tables."""
