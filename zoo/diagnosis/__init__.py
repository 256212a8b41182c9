"""Gradient health: what reaches a generator through a discriminator that gets good, and what a run's record shows.

games.py        what a discriminator is retrained with, and the generator's objectives with their closed forms
measuring.py    a generator's gradient and the logits that it comes through
experiment.py   Arjovsky and Bottou 2017, figures 2 and 3, on any stack
verdicts.py     what its curves mean, in words
of_run.py       the health of a run over time, from its metrics or its checkpoints
depth.py        Gulrajani et al. 2017, section 3.2: gradients in deep critics
own_depth.py    the same in a stack's own networks, under each loss; exchanging.py changes their activations
insight.py      where a discriminator looks; explaining.py and explanation.py show it of a run, and where latents lead
report/         the pages and the charts
"""
