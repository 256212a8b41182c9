"""One run's training: the two players, the step, the loop around it, and drawing samples."""
