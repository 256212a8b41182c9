"""Scores that can be trusted and compared: each is kept with the protocol by which it was measured.

setup.py        from options and data to an evaluation task
task.py         the task: features of both sides, every metric, every score with its protocol
images.py       real and generated samples as arrays on disk
features.py     from images to features on disk, kept for real ones
extractors/     the networks that scores are measured in
metrics/        the metrics, one small file each; selection.py says which are measured
protocol.py     what makes two scores comparable; names.py: what a score may be called
evaluation_file.py    evaluation.json
judging.py      scores while a run trains, and its best checkpoint
"""
