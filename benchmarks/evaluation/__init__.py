"""Trains the digit classifier, and measures the bias, sensitivity and cost of scores."""
