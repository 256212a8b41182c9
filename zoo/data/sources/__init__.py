"""Sources of samples other than TFDS: own files, the embedded dataset, points, stacked digits."""
