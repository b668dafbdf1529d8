"""How sure a figure is: shares, ratios of shares and rankings, each with its interval, and drift. Pure.

Closed forms, so that a page need not load a statistics library (SciPy takes over a second and 95 MB in a web
process); the tests hold them against SciPy, scikit-learn and published tables. All intervals are 95 % unless
told otherwise, and all of them hold for small samples and for shares of 0 and 1.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from math import inf, log, sqrt
from statistics import NormalDist

CONFIDENCE = 0.95

Interval = tuple[float, float]


def normal_quantile(confidence: float = CONFIDENCE) -> float:
    """How many standard errors reach to either side: 1.96 for 95 %."""
    if not 0 < confidence < 1:
        raise ValueError(f"A confidence lies between 0 and 1, not at {confidence}.")
    return NormalDist().inv_cdf((1 + confidence) / 2)


def wilson(successes: int, n: int, confidence: float = CONFIDENCE) -> Interval:
    """The interval of a share: the score interval, without continuity correction.

    Wilson (1927), J. Am. Stat. Assoc. 22:209; method 3 of Newcombe (1998), Statist. Med. 17:857. Of nothing
    at all any share may be true.
    """
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} of {n} is no share.")
    if n == 0:
        return 0.0, 1.0
    z2 = normal_quantile(confidence) ** 2
    middle = successes + z2 / 2
    reach = sqrt(z2 * (successes * (n - successes) / n + z2 / 4))
    low = 0.0 if successes == 0 else (middle - reach) / (n + z2)
    high = 1.0 if successes == n else (middle + reach) / (n + z2)
    return low, high


def share_ratio(
    successes: int, n: int, other_successes: int, other_n: int, confidence: float = CONFIDENCE
) -> Interval:
    """The interval of how many times as large the first share is as the second; up to infinity where the
    second may be nothing.

    MOVER-R of Wilson intervals: Donner and Zou (2012), Stat. Methods Med. Res. 21:347; recommended by
    Fagerland, Lydersen and Laake (2015), Stat. Methods Med. Res. 24:224. A limit R is where the interval of
    `p1 - R * p2` that is built from both Wilson intervals just reaches zero.
    """
    if not n or not other_n:
        return 0.0, inf
    low1, high1 = wilson(successes, n, confidence)
    low2, high2 = wilson(other_successes, other_n, confidence)
    p1, p2 = successes / n, other_successes / other_n
    return (
        _lower_ratio(p1 * p2, low1 * (2 * p1 - low1), high2 * (2 * p2 - high2)),
        _upper_ratio(p1 * p2, high1 * (2 * p1 - high1), low2 * (2 * p2 - low2)),
    )


def _lower_ratio(product: float, top: float, bottom: float) -> float:
    # The form of the quadratic's solution that stays finite where `bottom` is zero.
    divisor = product + sqrt(max(0.0, product**2 - top * bottom))
    return top / divisor if divisor else 0.0


def _upper_ratio(product: float, top: float, bottom: float) -> float:
    return (product + sqrt(max(0.0, product**2 - top * bottom))) / bottom if bottom else inf


def roc_auc(positives: Iterable[int], negatives: Iterable[int]) -> float | None:
    """How often a positive scores above a negative, over all pairs; a tie counts half. None without pairs.

    The Mann-Whitney statistic over the number of pairs, exact in integers up to the last division.
    """
    above, below = Counter(positives), Counter(negatives)
    pairs = above.total() * below.total()
    if not pairs:
        return None
    twice_won, beaten = 0, 0
    for score in sorted(above.keys() | below.keys()):
        twice_won += above[score] * (2 * beaten + below[score])
        beaten += below[score]
    return twice_won / (2 * pairs)


def auc_interval(auc: float, positives: int, negatives: int, confidence: float = CONFIDENCE) -> Interval:
    """The interval of a ROC-AUC, given how many there were of each kind.

    Method 5 of Newcombe (2006), Statist. Med. 25:559: the variance of Hanley and McNeil (1982), Radiology
    143:29, at each limit instead of at the estimate, as Wilson's is for a share. So it never passes 0 or 1,
    and perfect separation of a few is not taken for certainty, as DeLong's would.
    """
    if not positives or not negatives:
        return 0.0, 1.0
    z2 = normal_quantile(confidence) ** 2

    def is_too_far(theta: float) -> bool:
        return (auc - theta) ** 2 > z2 * auc_variance(theta, positives, negatives)

    return _edge(auc, 0.0, is_too_far), _edge(auc, 1.0, is_too_far)


def auc_variance(theta: float, positives: int, negatives: int) -> float:
    """Hanley and McNeil's variance for exponential scores, with both sample sizes in the middle terms
    replaced by their mean, as Newcombe does to make it symmetric."""
    middle = (positives + negatives) / 2
    spread = (1 - theta) / (2 - theta) + theta / (1 + theta)
    return theta * (1 - theta) * (1 + (middle - 1) * spread) / (positives * negatives)


def _edge(inside: float, outside: float, is_too_far: Callable[[float], bool]) -> float:
    """Where between the two the distance becomes too far, by halving; `outside` if it never does."""
    if not is_too_far(outside):
        return outside
    for _ in range(60):
        middle = (inside + outside) / 2
        if is_too_far(middle):
            outside = middle
        else:
            inside = middle
    return inside


def stability_index(before: Sequence[int], after: Sequence[int]) -> float | None:
    """The population stability index of two counts over the same bins; None if one of them is empty.

    `sum((q - p) * ln(q / p))` over the shares p and q: Siddiqi (2006), Credit Risk Scorecards, ch. 9. Half a
    case is added to every bin, or an empty one would make it infinite.
    """
    if not sum(before) or not sum(after):
        return None
    was, became = _smoothed(before), _smoothed(after)
    return sum((q - p) * log(q / p) for p, q in zip(was, became, strict=True))


def _smoothed(counts: Sequence[int]) -> list[float]:
    total = sum(counts) + len(counts) / 2
    return [(count + 0.5) / total for count in counts]
