"""Layers that GAN papers share."""
from zoo.layers.exact import moments
from zoo.layers.normalization import BatchNormalization, LayerNormalization, GroupNormalization, InstanceNormalization, PixelNormalization
from zoo.layers.spectral import SpectralNormalization, normalized, unit
