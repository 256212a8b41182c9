"""Trackers that follow a run while it trains; optional."""
