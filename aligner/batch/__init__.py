"""Corpora: any number of documents through the pipeline, durably and exactly once.

:func:`aligner.batch.runs.run` takes :class:`aligner.batch.settings.BatchOptions` and returns a summary; the
command is ``aligner batch``.
"""
