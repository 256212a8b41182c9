"""Listeners, such as trackers, that follow a run while it trains."""
