"""When people work: calendars with weekly hours, public holidays, closures (SLA-2)."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q


class Calendar(models.Model):
    """Working hours of a place: time zone, weekly intervals, public holidays, closures (SLA-2)."""

    name = models.CharField(max_length=80, unique=True)
    time_zone = models.CharField(max_length=64, help_text="IANA name, such as Europe/Berlin.")
    holiday_country = models.CharField(
        max_length=2, blank=True, help_text="ISO code; blank: no public holidays."
    )
    holiday_subdivision = models.CharField(max_length=8, blank=True)
    is_default = models.BooleanField(default=False)
    people = models.ManyToManyField(
        settings.AUTH_USER_MODEL, through="CalendarPerson", related_name="+", blank=True
    )

    class Meta:
        ordering = ("name",)
        constraints = (
            models.UniqueConstraint(
                fields=["is_default"],
                condition=Q(is_default=True),
                name="one_default_calendar",
            ),
        )

    def __str__(self) -> str:
        return self.name


class CalendarPerson(models.Model):
    """Whose calendar it is: a person has at most one; others work by the default."""

    calendar = models.ForeignKey(Calendar, on_delete=models.CASCADE)
    person = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")

    class Meta:
        verbose_name = "person"
        verbose_name_plural = "people who work by this calendar"

    def __str__(self) -> str:
        return f"{self.person} works by {self.calendar}"


class CalendarInterval(models.Model):
    """Open hours on a weekday. Several a day are fine; closes_at <= opens_at runs over midnight;
    both 00:00 is the whole day."""

    class Weekday(models.IntegerChoices):
        MONDAY = 0, "Monday"
        TUESDAY = 1, "Tuesday"
        WEDNESDAY = 2, "Wednesday"
        THURSDAY = 3, "Thursday"
        FRIDAY = 4, "Friday"
        SATURDAY = 5, "Saturday"
        SUNDAY = 6, "Sunday"

    calendar = models.ForeignKey(Calendar, on_delete=models.CASCADE, related_name="intervals")
    weekday = models.PositiveSmallIntegerField(choices=Weekday)
    opens_at = models.TimeField()
    closes_at = models.TimeField()

    class Meta:
        ordering = ("weekday", "opens_at")

    def __str__(self) -> str:
        return f"{self.get_weekday_display()} {self.opens_at:%H:%M}–{self.closes_at:%H:%M}"


class Closure(models.Model):
    """A day on which the place is closed beyond public holidays."""

    calendar = models.ForeignKey(Calendar, on_delete=models.CASCADE, related_name="closures")
    on = models.DateField()
    name = models.CharField(max_length=80)

    class Meta:
        ordering = ("on",)
        constraints = (
            models.UniqueConstraint(
                fields=["calendar", "on"],
                name="closure_day_is_unique",
                violation_error_message="This day is closed already.",
            ),
        )

    def __str__(self) -> str:
        return f"{self.name} ({self.on:%d %b %Y})"
