"""Dropout as a source of noise."""

from typing import Any

import keras

from zoo.layers.exact import PACKAGE


@keras.saving.register_keras_serializable(package=PACKAGE)
class NoiseDropout(keras.layers.Dropout):
    """Dropout that is on in inference too, where it is a generator's noise.

    In pix2pix the only one: Isola et al. 2016 (https://arxiv.org/abs/1611.07004), section 3.2.
    """

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Drop, whatever the mode."""
        return super().call(inputs, training=True)
