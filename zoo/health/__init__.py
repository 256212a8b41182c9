"""What a run's metrics and scores say about its health: warnings in plain words, each with what to try.

It reads what training has written, and computes nothing by a backend: any run that was ever made can be asked.
"""

from zoo.health.rules import PREFIX, Finding, findings, word

__all__ = ["PREFIX", "Finding", "findings", "word"]
