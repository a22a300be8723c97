"""The review page: people go through the captions of a run; what they decide is kept in SQLite.

:mod:`~aligner.review.store` keeps decisions, :mod:`~aligner.review.session` joins them with a run and its
articles, :mod:`~aligner.review.server` serves the page, :mod:`~aligner.review.gold` makes gold of decisions.
"""
