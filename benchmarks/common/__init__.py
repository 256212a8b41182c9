"""Code that several benchmarks share: comparisons that are kept, machine, meters, processes, tables."""
