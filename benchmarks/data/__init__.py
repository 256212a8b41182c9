"""How fast the zoo prepares data and makes batches of it, and in how much memory. README.md says how to run it."""
