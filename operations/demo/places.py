"""Where invented people live: how they are called, when they work, what their numbers look like."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """One country. `phone` is a range kept free for fiction, # for any digit; blank where there is none."""

    country: str
    time_zone: str
    weight: int
    phone: str
    suffixes: tuple[str, ...]
    first_names: tuple[str, ...]
    last_names: tuple[str, ...]


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _phrases(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(","))


GERMAN_FIRST = _words(
    "Anna Sabine Katrin Lena Julia Heike Miriam Claudia Franziska Nadine Birgit Svenja "
    "Thomas Stefan Jonas Matthias Florian Andreas Tobias Henrik Lukas Ralf Sebastian Jens"
)
ENGLISH_FIRST = _words(
    "Emma Charlotte Rachel Hannah Fiona Priya Olivia Joanne Amira Laura Helen Zoe "
    "James Daniel Oliver Marcus Adam Thomas Rajesh Simon Callum Peter Edward Luke"
)

GERMANY = Place(
    "Germany",
    "Europe/Berlin",
    22,
    "+49 30 23125 ###",
    ("GmbH", "AG", "GmbH & Co. KG", ""),
    GERMAN_FIRST,
    _words(
        "Brandt Keller Vogt Lindner Hoffmeister Seidel Kranz Albers Rother Wendt Stahl Ehlers Dietz "
        "Marquardt Haas Pfeiffer Lorenz Böhme Reinhardt Thiele Jansen Scholz Arnold Bergmann Zeller"
    ),
)
PLACES: tuple[Place, ...] = (
    GERMANY,
    Place(
        "Austria",
        "Europe/Vienna",
        5,
        "",
        ("GmbH", "AG", ""),
        GERMAN_FIRST,
        _words("Gruber Huber Leitner Steiner Moser Pichler Egger Wallner Haider Auer Lechner Schwarz"),
    ),
    Place(
        "Switzerland",
        "Europe/Zurich",
        5,
        "",
        ("AG", "GmbH", ""),
        (*GERMAN_FIRST, "Chantal", "Reto", "Urs"),
        _words("Baumann Frei Kälin Zürcher Ammann Gerber Brunner Wyss Meier Suter Hess Bucher"),
    ),
    Place(
        "United Kingdom",
        "Europe/London",
        16,
        "+44 20 7946 0###",
        ("Ltd", "Group", "plc", ""),
        ENGLISH_FIRST,
        _words(
            "Whitcombe Hargreaves Ashworth Bennett Okafor Pemberton Sinclair Ellwood Marsh Patel Fairclough "
            "Doyle Thornton Kendrick Barlow Chaudhry Winslow Prescott Hollis Redfern Ingram Lockwood"
        ),
    ),
    Place(
        "Ireland",
        "Europe/Dublin",
        4,
        "+353 20 91# ####",
        ("Ltd", ""),
        _words("Aoife Niamh Ciara Orla Sinead Conor Sean Declan Brendan Eoin Padraig Maeve"),
        _words("Gallagher Brennan Kinsella Nolan Keane Moriarty Fallon Devlin Carey Tierney"),
    ),
    Place(
        "Netherlands",
        "Europe/Amsterdam",
        8,
        "",
        ("B.V.", "N.V.", ""),
        _words("Femke Sanne Anouk Marieke Lotte Esther Joris Bram Sander Ruben Wouter Thijs Pieter Daan"),
        _phrases(
            "van Dalen, Hoekstra, de Wit, Verhoeven, Bakker, Postma, van Leeuwen, Dijkstra, Smits, Kuipers"
        ),
    ),
    Place(
        "Sweden",
        "Europe/Stockholm",
        6,
        "+46 8 465 004 ##",
        ("AB", ""),
        _words("Ingrid Elin Malin Annika Karin Sofia Johan Erik Anders Oskar Mattias Nils Viktor Linnea"),
        _words(
            "Halvorsen Lundgren Ekström Sandberg Nyberg Holmqvist Åkesson Wallin Bergström Forslund Ståhl"
        ),
    ),
    Place(
        "Denmark",
        "Europe/Copenhagen",
        4,
        "",
        ("A/S", "ApS", ""),
        _words("Mette Louise Camilla Signe Rikke Lars Søren Kasper Mikkel Rasmus Frederik Astrid"),
        _words("Kjeldsen Mortensen Bruun Thygesen Dahl Skov Lauritsen Holst Vestergaard Ravn"),
    ),
    Place(
        "France",
        "Europe/Paris",
        6,
        "+33 1 99 00 ## ##",
        ("SAS", "SA", ""),
        _words("Camille Claire Élodie Nathalie Sophie Aurélie Julien Mathieu Antoine Olivier Hugo Pauline"),
        _words("Lefèvre Garnier Roussel Chevalier Marchand Fontaine Mercier Delacroix Besson Colin Perrin"),
    ),
    Place(
        "Spain",
        "Europe/Madrid",
        4,
        "",
        ("S.L.", "S.A.", ""),
        _words("Lucía Marta Carmen Elena Inés Javier Alejandro Pablo Sergio Diego Álvaro Nuria"),
        _words("Navarro Ibáñez Cortés Molina Herrera Vidal Serrano Castaño Peralta Rincón"),
    ),
    Place(
        "Poland",
        "Europe/Warsaw",
        3,
        "",
        ("Sp. z o.o.", "S.A.", ""),
        _words("Agnieszka Magdalena Katarzyna Ewa Joanna Piotr Tomasz Marcin Krzysztof Paweł Michał"),
        _words("Nowicki Zawadzki Wrona Sikora Malinowski Borowski Kalinowski Górski Jaworski"),
    ),
    Place(
        "United States",
        "America/New_York",
        18,
        "+1 202 555 01##",
        ("Inc.", "LLC", "Corp.", ""),
        (*ENGLISH_FIRST, "Madison", "Denise", "Carlos", "Tyler", "Kimberly", "Brandon"),
        _words(
            "Hale Ortiz Whitfield Calloway Nguyen Brooks Delgado Harmon Stokes Ramirez Vance Holloway Pruitt "
            "Kaplan Mercer Langley Fischer Rhodes Castillo Dempsey Shaw Underwood Tran McAllister"
        ),
    ),
    Place(
        "Canada",
        "America/Toronto",
        5,
        "+1 613 555 01##",
        ("Inc.", "Ltd.", ""),
        (*ENGLISH_FIRST, "Geneviève", "Étienne", "Mathilde"),
        _words("MacLeod Tremblay Gauthier Singh Fraser Bouchard Campbell Leblanc Kowalchuk Chen"),
    ),
)
