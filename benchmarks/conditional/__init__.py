"""Conditional variants with one budget: whether samples are of the class that was asked for, and how good they are."""
