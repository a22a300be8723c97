"""Finds, translates, links and scores the image captions that a translated article left in its source language."""

__version__ = "0.1.0"
