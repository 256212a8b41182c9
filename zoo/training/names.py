"""The names of tensors that the zoo itself knows; every other field, input or output is a dataset's or a plugin's."""

LATENTS, SAMPLES, LABELS, LOGITS = "latents", "samples", "labels", "logits"
