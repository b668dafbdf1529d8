"""How long a span may be that people set: longer ones are a slip of the unit, and no date could hold them."""

from django.core.validators import MaxValueValidator

LONGEST_DAYS = 3650

days_within_ten_years = MaxValueValidator(LONGEST_DAYS, "This is longer than ten years: the unit is days.")
