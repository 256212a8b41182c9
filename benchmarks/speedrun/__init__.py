"""The race to quality: peers beside the zoo's entries."""
