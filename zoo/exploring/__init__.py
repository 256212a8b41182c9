"""A page on this machine to explore a run's generator with: latents, classes, walks, projections, translations.

latent_explorer.py   what the page shows of a generator of latents, without the page
drawn_explorer.py    the same of a generator that translates images
page.py              the page itself, by Gradio; controls.py and pictures.py are its parts
serving.py           how it is opened on this machine
"""
