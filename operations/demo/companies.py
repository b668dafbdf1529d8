"""Invented companies: what they make, how large they are, where they sit, what they work with."""

from __future__ import annotations

import random
import re
import unicodedata
from dataclasses import dataclass

from operations.demo.places import PLACES, Place


@dataclass(frozen=True)
class Trade:
    """A line of business: the words its companies carry in their names and the trouble they have."""

    industry: str
    weight: int
    name_words: tuple[str, ...]
    pains: tuple[str, ...]


TRADES: tuple[Trade, ...] = (
    Trade(
        "Manufacturing",
        22,
        (
            "Precision",
            "Metalworks",
            "Components",
            "Drives",
            "Plastics",
            "Instruments",
            "Machinery",
            "Fasteners",
        ),
        (
            "Rush orders throw the week's production plan over; we re-plan by hand every morning.",
            "Three plants, three spreadsheets: nobody knows the real capacity.",
            "Late parts stop the line about twice a month.",
        ),
    ),
    Trade(
        "Logistics",
        18,
        ("Logistics", "Freight", "Cold Chain", "Forwarding", "Haulage", "Parcel", "Terminals"),
        (
            "Drivers wait two hours at the gate because slots are booked by phone.",
            "Dispatch plans tours in a spreadsheet and half of them change after seven.",
            "We cannot tell customers when a delivery really arrives.",
        ),
    ),
    Trade(
        "Retail",
        14,
        ("Home", "Sports", "Grocers", "Outfitters", "Garden", "Books & Toys"),
        (
            "Shops run out of bestsellers while the warehouse is full of last season.",
            "Staff rotas for forty shops take the area managers a day a week.",
        ),
    ),
    Trade(
        "Software",
        12,
        ("Systems", "Cloud", "Analytics", "Labs", "Data"),
        (
            "Our field engineers are planned in three tools that do not talk to each other.",
            "Customer roll-outs slip because nobody sees who is free next month.",
        ),
    ),
    Trade(
        "Wholesale",
        9,
        ("Trading", "Supply", "Wholesale", "Distribution"),
        (
            "Purchasing orders on gut feeling; we wrote off a six-figure stock last year.",
            "Our forecast is last year plus five per cent.",
        ),
    ),
    Trade(
        "Healthcare",
        7,
        ("Clinics", "Medical", "Diagnostics", "Care"),
        ("Shift planning across four sites happens on paper.", "Consumables run out without warning."),
    ),
    Trade(
        "Energy",
        6,
        ("Grid", "Renewables", "Power", "Wind"),
        (
            "Maintenance crews drive past one turbine to reach another.",
            "Outage planning lives in one person's head.",
        ),
    ),
    Trade(
        "Financial services",
        5,
        ("Capital", "Insurance", "Leasing", "Payments"),
        ("Claims teams are overstaffed on Monday and drowning on Thursday.",),
    ),
    Trade(
        "Construction",
        4,
        ("Bau", "Civil Works", "Roofing", "Interiors"),
        ("Crews and cranes are booked on a whiteboard.",),
    ),
    Trade(
        "Agencies",
        3,
        ("Studio", "Creative", "Consulting", "Communications"),
        ("We want to see whether this would suit one of our clients.",),
    ),
)

# What a plain letter alone would spoil; other accents may simply go.
SPELLED_OUT = {
    ord(letter): spelled
    for letter, spelled in zip("äöüßåøæł", ("ae", "oe", "ue", "ss", "aa", "oe", "ae", "l"), strict=True)
}

# Head counts with weights: mostly the middle market, with tails on both sides.
SIZES = ((12, 5), (35, 9), (80, 14), (160, 20), (320, 20), (700, 15), (1_500, 9), (4_200, 5), (11_000, 3))


# What a data provider knows of them, with the share of companies of which it knows it.
TECHNOLOGIES = (
    ("Excel", 0.6),
    ("SAP S/4HANA", 0.25),
    ("Microsoft Dynamics", 0.2),
    ("Salesforce", 0.2),
    ("Power BI", 0.15),
    ("Plannix", 0.06),
)
SHARE_OF_KNOWN_TECHNOLOGIES = 0.7
GROWTH_SIGNALS = ("Hiring in operations", "New site", "Series B", "Acquired a competitor", "New markets")
SHARE_OF_GROWING = 0.28


@dataclass(frozen=True)
class Employer:
    """One invented company with its place and trade. Nothing is known of those that do not grow."""

    name: str
    domain: str
    employee_count: int
    trade: Trade
    place: Place
    technologies: tuple[str, ...] = ()
    growth_signals: tuple[str, ...] = ()

    @property
    def is_growing(self) -> bool:
        return bool(self.growth_signals)


def make_employer(rng: random.Random, taken: set[str], *, place: Place | None = None) -> Employer:
    """Invent a company whose domain is not taken yet, and take it."""
    while True:
        home = place or rng.choices(PLACES, [one.weight for one in PLACES])[0]
        trade = rng.choices(TRADES, [one.weight for one in TRADES])[0]
        stem = f"{rng.choice(home.last_names)} {rng.choice(trade.name_words)}"
        stem = stem[0].upper() + stem[1:]
        domain = f"{as_domain_label(stem)}.example"
        if domain in taken:
            continue
        taken.add(domain)
        size = rng.choices([count for count, _ in SIZES], [weight for _, weight in SIZES])[0]
        return Employer(
            name=f"{stem} {rng.choice(home.suffixes)}".strip(),
            domain=domain,
            employee_count=round(size * rng.uniform(0.7, 1.4)),
            trade=trade,
            place=home,
            technologies=_technologies_of(domain),
            growth_signals=_growth_of(domain),
        )


def _technologies_of(domain: str) -> tuple[str, ...]:
    """Drawn from the name, like growth: the rest of the year is the same with and without them."""
    rng = random.Random(f"technologies {domain}")
    if rng.random() > SHARE_OF_KNOWN_TECHNOLOGIES:
        return ()
    return tuple(name for name, share in TECHNOLOGIES if rng.random() < share)


def _growth_of(domain: str) -> tuple[str, ...]:
    rng = random.Random(f"growth {domain}")
    if rng.random() > SHARE_OF_GROWING:
        return ()
    return tuple(rng.sample(GROWTH_SIGNALS, rng.choice((1, 1, 2))))


def as_domain_label(text: str) -> str:
    """Plain letters, digits and hyphens: "Böhme & Söhne" becomes "boehme-soehne"."""
    spelled = text.lower().translate(SPELLED_OUT)
    plain = unicodedata.normalize("NFKD", spelled).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
