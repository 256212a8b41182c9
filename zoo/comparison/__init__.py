"""Variants compared on benchmarks over seeds: the queue of runs, engines, statistics and the report."""
