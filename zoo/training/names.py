"""The names of tensors that the zoo itself knows; every other field, input or output is a dataset's or a plugin's."""

TARGETS = "targets"  # the generator's input that asks for other attributes than an image has
LATENTS, SAMPLES, LABELS, LOGITS = "latents", "samples", "labels", "logits"
STYLES, SYNTHESIS = "styles", "synthesis"  # an output of a style-based generator, and the model from it to samples
