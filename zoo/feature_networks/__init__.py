"""Networks trained on photographs, whose features plugins and scores are made of: frozen, and verified byte by byte.

A plugin declares one in its hook `networks`, `Network(feature_networks.efficientnet_lite0(sample_shape, size=224))`,
and its gradient reaches the samples; no checkpoint holds it, run.yaml has its hash.
"""

from zoo.feature_networks.efficientnet import efficientnet_lite0

__all__ = ["efficientnet_lite0"]
