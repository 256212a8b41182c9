"""How much a conditional GAN helps a classifier that has few labels."""
