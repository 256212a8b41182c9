"""Variants compared on benchmarks over seeds: the queue of runs, executors, statistics and the report."""
