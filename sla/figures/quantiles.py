"""Medians and what nine in ten took at most, as an aggregate of the database."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db.models import Aggregate, FloatField


class Quantiles(Aggregate):
    """Median and ninth decile as a list, in one sort; None of nothing."""

    function = "percentile_cont"
    template = "%(function)s(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = ArrayField(FloatField())
