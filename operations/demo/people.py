"""Invented people: name, job, address, telephone."""

from __future__ import annotations

import random
from dataclasses import dataclass

from operations.demo.companies import Employer, Trade, as_domain_label, make_employer
from operations.demo.places import PLACES, Place

SENIOR_DECIDERS = (
    "Chief Operating Officer",
    "COO",
    "VP Operations",
    "VP Supply Chain",
    "VP Logistics",
    "Chief Financial Officer",
)
DECIDERS = (
    *SENIOR_DECIDERS,
    "Managing Director",
    "Head of Supply Chain",
    "Director of Logistics",
    "Director of Operations",
)
PRACTITIONERS = (
    "Operations Manager",
    "Planning Manager",
    "Production Planner",
    "Warehouse Manager",
    "Dispatch Manager",
    "Supply Chain Analyst",
    "IT Project Manager",
    "Field Service Manager",
)
STUDENTS = ("Student", "Master's student, logistics", "Research assistant", "PhD candidate")
JOB_SEEKERS = ("Backend developer", "Customer success associate", "Marketing assistant", "Sales associate")
RIVALS = ("Product Marketing Manager", "Competitive Intelligence Analyst", "Product Manager")
OWNERS = ("CEO", "CEO and founder", "Managing Director and CFO", "COO")

EDUCATION = Trade("Education", 0, (), ("I am comparing planning tools for my thesis.",))
PLANNING_SOFTWARE = Trade("Software", 0, (), ("Looking around.",))
RIVAL_FIRMS = (("Plannix", "plannix.example"), ("Taktwerk Software", "taktwerk-software.example"))


@dataclass(frozen=True)
class Person:
    """Somebody out there. Without an employer they write from a private address."""

    first_name: str
    last_name: str
    email: str
    title: str
    phone: str
    place: Place
    employer: Employer | None


class Census:
    """Invents people and employers, and keeps addresses and domains unique."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._emails: set[str] = set()
        self._domains: set[str] = {domain for _, domain in RIVAL_FIRMS}
        self._employers: list[Employer] = []

    def invent_employee(
        self, titles: tuple[str, ...], *, sizes: tuple[int, int] = (1, 1_000_000), home: Place | None = None
    ) -> Person:
        """Somebody at a firm of that size; now and then a colleague of somebody we already know."""
        fitting = [one for one in self._employers if sizes[0] <= one.employee_count <= sizes[1]]
        if fitting and home is None and self._rng.random() < 0.15:
            return self._hire(self._rng.choice(fitting), titles)
        while True:
            employer = make_employer(self._rng, self._domains, place=home)
            self._employers.append(employer)
            if sizes[0] <= employer.employee_count <= sizes[1]:
                return self._hire(employer, titles)

    def invent_student(self) -> Person:
        place = self._any_place()
        town = self._rng.choice(place.last_names)
        domain = f"uni-{as_domain_label(town)}.example"
        return self._hire(Employer(f"University of {town}", domain, 4_000, EDUCATION, place), STUDENTS)

    def invent_rival(self) -> Person:
        name, domain = self._rng.choice(RIVAL_FIRMS)
        return self._hire(Employer(name, domain, 240, PLANNING_SOFTWARE, self._any_place()), RIVALS)

    def invent_private_person(self) -> Person:
        """Somebody who writes from an address at a domain of their own."""
        place = self._any_place()
        last_name = self._rng.choice(place.last_names)
        domain = f"{as_domain_label(last_name)}-{self._rng.randrange(10, 99)}.example"
        return self._name_person(place, None, domain, JOB_SEEKERS, last_name=last_name)

    def give_second_address(self, person: Person) -> Person:
        """The same person under another address, as when they fill in a form from another inbox."""
        assert person.employer is not None
        initial = f"{as_domain_label(person.first_name)[0]}.{as_domain_label(person.last_name)}"
        email = self._free_address(initial, person.employer.domain)
        return Person(
            person.first_name, person.last_name, email, person.title, "", person.place, person.employer
        )

    def _any_place(self) -> Place:
        return self._rng.choices(PLACES, [one.weight for one in PLACES])[0]

    def _hire(self, employer: Employer, titles: tuple[str, ...]) -> Person:
        return self._name_person(employer.place, employer, employer.domain, titles)

    def _name_person(
        self,
        place: Place,
        employer: Employer | None,
        domain: str,
        titles: tuple[str, ...],
        *,
        last_name: str = "",
    ) -> Person:
        first, last = self._rng.choice(place.first_names), last_name or self._rng.choice(place.last_names)
        local_part = f"{as_domain_label(first)}.{as_domain_label(last)}"
        return Person(
            first_name=first,
            last_name=last,
            email=self._free_address(local_part, domain),
            title=self._rng.choice(titles),
            phone=self._phone(place),
            place=place,
            employer=employer,
        )

    def _free_address(self, local_part: str, domain: str) -> str:
        number, email = 1, f"{local_part}@{domain}"
        while email in self._emails:
            number += 1
            email = f"{local_part}{number}@{domain}"
        self._emails.add(email)
        return email

    def _phone(self, place: Place) -> str:
        if self._rng.random() < 0.35:  # many leave the field blank
            return ""
        return "".join(str(self._rng.randrange(10)) if sign == "#" else sign for sign in place.phone)
