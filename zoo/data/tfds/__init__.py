"""Whatever TFDS has, read by TensorFlow."""
