"""Runs made small to share: packed with a card, pushed to a hub. Pulling is `zoo.runs.pulling`."""
