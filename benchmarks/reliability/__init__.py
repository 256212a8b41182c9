"""Whether a run survives what happens to runs: kills, signals, full disks, vanishing folders, damaged files."""
