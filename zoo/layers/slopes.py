"""What a discriminator must be like whose slope is held to a bound."""

import warnings

import keras

from zoo.backend.keras_internals import every_layer
from zoo.errors import ZooError, ZooWarning
from zoo.layers.normalization import BatchNormalization
from zoo.layers.spectral import SpectralNormalization

BATCH_NORMALIZATIONS = (keras.layers.BatchNormalization, BatchNormalization)
SPECTRAL_NORMALIZATIONS = (keras.layers.SpectralNormalization, SpectralNormalization)


def check_slope_penalty(plugin: str, discriminator: keras.Model) -> None:
    """For the hook `check` of a penalty that holds the norm of each sample's slope.

    Raises ZooError for batch normalization, which ties a sample's slope to its batch (Gulrajani et al. 2017, section
    4), and warns of spectral normalization, which bounds the slope a second time.
    """
    layers = every_layer(discriminator)
    for layer in layers:
        if isinstance(layer, BATCH_NORMALIZATIONS):
            raise ZooError(
                f"Plugin '{plugin}' can't hold a critic with batch normalization to its penalty: layer '{layer.name}'. "
                "Use --set discriminator_normalization=layer, or networks that heed that setting."
            )
    warn_of_two_bounds(plugin, discriminator)


def warn_of_two_bounds(plugin: str, discriminator: keras.Model) -> None:
    """For the hook `check` of any penalty of slopes: warns of spectral normalization beside it."""
    if any(isinstance(layer, SPECTRAL_NORMALIZATIONS) for layer in every_layer(discriminator)):
        warnings.warn(
            f"This stack bounds the discriminator's slope twice, by spectral normalization and by the penalty of "
            f"'{plugin}'. One is enough: --set discriminator_normalization=layer, or leave the penalty out.",
            ZooWarning,
            stacklevel=3,
        )
