"""Translations measured against what needs no GAN."""
