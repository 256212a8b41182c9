"""Measures how fast, and in how much memory, the zoo prepares data and makes batches. README.md says how to run it."""
