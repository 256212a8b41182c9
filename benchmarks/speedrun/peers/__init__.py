"""The peers, each a process that trains, draws samples, and waits for what the coordinator says."""
