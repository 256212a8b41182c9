"""Image datasets of TFDS and, by way of it, of the Hugging Face hub, read with TensorFlow."""
