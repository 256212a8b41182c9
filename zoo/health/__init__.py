"""What a run's metrics and scores say about its health: warnings in plain words, each with what to try.

It reads what training has written, and computes nothing by a backend: any run that was ever made can be asked.
"""

from zoo.health.rules import HEALTHY, PREFIX, Finding, findings, word, word_of

__all__ = ["HEALTHY", "PREFIX", "Finding", "findings", "word", "word_of"]
