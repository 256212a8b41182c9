"""What GAN papers' networks share beside Keras' own layers: right up to second-order gradients on every backend.

All of them can be saved, take batches of any size, and compute what needs it in float32 in mixed precision.
"""

from zoo.backend.keras_internals import every_layer
from zoo.layers.affine import AffineRows, affine, alike, moved_back, scaled_back, turned_back
from zoo.layers.attention import SelfAttention
from zoo.layers.autoencoders import decoded, encoded
from zoo.layers.batch import MinibatchDeviation, MinibatchDiscrimination
from zoo.layers.conditional import (
    AdaptiveInstanceNormalization,
    ChannelModulation,
    ConditionalBatchNormalization,
    ModulatedBatchNormalization,
    projected,
)
from zoo.layers.dropout import NoiseDropout
from zoo.layers.equalized import EqualizedConv2D, EqualizedDense
from zoo.layers.exact import PACKAGE, ExactLayer, moments
from zoo.layers.excited import excited, excited_map, gated_convolution
from zoo.layers.grouped import GroupedConv2D
from zoo.layers.history import from_history
from zoo.layers.labelled import (
    class_normalized,
    classes_to_judge,
    joined_latents,
    labels_with_latents,
    labels_with_samples,
    one_hot,
    with_classifiers,
    with_embedding,
)
from zoo.layers.learned import LearnedMap
from zoo.layers.modulation import ModulatedConv2D, NoiseInjection
from zoo.layers.moved_images import flipped, flipped_and_shifted, shifted, without
from zoo.layers.normalization import (
    BatchNormalization,
    GroupNormalization,
    InstanceNormalization,
    LayerNormalization,
    PixelNormalization,
)
from zoo.layers.patches import patch_critic
from zoo.layers.pixels import PixelRange, PixelShuffle, ReflectionPadding2D
from zoo.layers.resampling import AlignedUpsample, Downsample, Upsample
from zoo.layers.residual import (
    attention_side,
    convolutions,
    rectified,
    residual_block,
    residual_features,
    residual_images,
    residual_logits,
    residual_widths,
)
from zoo.layers.slopes import check_slope_penalty, warn_of_two_bounds
from zoo.layers.spectral import (
    SpectralNormalization,
    at_ends,
    kernel_matrices,
    normalization,
    normalized,
    spectral_where,
    unit,
)
from zoo.layers.stock import constant, stock_equal, virtually_normalized
from zoo.layers.transformed_images import recoloured, warped, weighed_bands
from zoo.layers.transformers import RotaryAttention, SinePositions
from zoo.layers.translators import instance_relu, plain_convolution, translating_block
from zoo.layers.virtual import VirtualBatchNormalization

__all__ = [
    "PACKAGE",
    "AdaptiveInstanceNormalization",
    "AffineRows",
    "AlignedUpsample",
    "BatchNormalization",
    "ChannelModulation",
    "ConditionalBatchNormalization",
    "Downsample",
    "EqualizedConv2D",
    "EqualizedDense",
    "ExactLayer",
    "GroupNormalization",
    "GroupedConv2D",
    "InstanceNormalization",
    "LayerNormalization",
    "LearnedMap",
    "MinibatchDeviation",
    "MinibatchDiscrimination",
    "ModulatedBatchNormalization",
    "ModulatedConv2D",
    "NoiseDropout",
    "NoiseInjection",
    "PixelNormalization",
    "PixelRange",
    "PixelShuffle",
    "ReflectionPadding2D",
    "RotaryAttention",
    "SelfAttention",
    "SinePositions",
    "SpectralNormalization",
    "Upsample",
    "VirtualBatchNormalization",
    "affine",
    "alike",
    "at_ends",
    "attention_side",
    "check_slope_penalty",
    "class_normalized",
    "classes_to_judge",
    "constant",
    "convolutions",
    "decoded",
    "encoded",
    "every_layer",
    "excited",
    "excited_map",
    "flipped",
    "flipped_and_shifted",
    "from_history",
    "gated_convolution",
    "instance_relu",
    "joined_latents",
    "kernel_matrices",
    "labels_with_latents",
    "labels_with_samples",
    "moments",
    "moved_back",
    "normalization",
    "normalized",
    "one_hot",
    "patch_critic",
    "plain_convolution",
    "projected",
    "recoloured",
    "rectified",
    "residual_block",
    "residual_features",
    "residual_images",
    "residual_logits",
    "residual_widths",
    "scaled_back",
    "shifted",
    "spectral_where",
    "stock_equal",
    "translating_block",
    "turned_back",
    "unit",
    "virtually_normalized",
    "warn_of_two_bounds",
    "warped",
    "weighed_bands",
    "with_classifiers",
    "with_embedding",
    "without",
]
