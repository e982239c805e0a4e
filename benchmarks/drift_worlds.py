"""Lead funnels whose truth is known, drawn fast: what drift does to a model's scores and inputs.

One firm is drawn per seed; its worlds differ only in what changes from the change's week on, so
all that came before is shared. 40 weeks train a logistic model; weekly looks begin when their
outcomes are known (week 52). Leads are scored four times, a week apart, and convert within
twelve weeks after a delay. What buyers want changes with the lead's creation, what is recorded
or measured with the calendar. Weeks share luck (AR(1)), and the year has seasons in volume,
inputs and conversions.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.drift_cast import (
    ATTRIBUTES,
    COUNTRIES,
    FIRST_FIT,
    GROWING,
    NUMBERS,
    OPENS,
    SOURCES,
    WEB,
    WORLDS,
    World,
)
from mqlml.monitoring.evidence import ScoredHistory
from mqlml.timeline import MICROS_PER_DAY, MICROS_PER_WEEK, NEVER

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

WEEKS = 110
LEARNT_WEEKS = 40
HORIZON_WEEKS = 12
FIRST_LOOK = LEARNT_WEEKS + HORIZON_WEEKS
CHANGES = (64, 72)
LOOKS_PER_LEAD = 4
BASE_RATE = 0.083
MEAN_DELAY_WEEKS = 3.5
N_MATTER = 12


@dataclass(frozen=True)
class Firm:
    """What is drawn once per seed: leads, their features at each look, and the model's weights."""

    week: Ints
    created: Ints
    numbers: npt.NDArray[np.float32]
    source: Ints
    country: Ints
    luck: Floats
    delay: Floats
    draw: Floats
    handed: npt.NDArray[np.bool_]
    beta: Floats
    beta_new: Floats
    noise_level: Floats
    weights: Floats
    centre: Floats
    spread: Floats
    seed: int
    change: int

    row_lead: Ints
    row_look: Ints
    looks: npt.NDArray[np.float32]

    @property
    def weeks(self) -> int:
        """Return for how many weeks the firm is watched."""
        return len(self.noise_level)


@dataclass(frozen=True)
class Played:
    """A world as monitoring sees it, and its truth."""

    world: World
    history: ScoredHistory
    change: int
    edits: tuple[int, ...]
    altered: tuple[str, ...]


def draw_firm(seed: int, leads_per_week: int, *, weeks: int = WEEKS) -> Firm:
    """Return the firm of a seed, watched for so many weeks."""
    rng = np.random.default_rng([seed, leads_per_week])
    change = int(rng.integers(*CHANGES))
    t = np.arange(weeks)
    season = np.sin(2 * np.pi * (t / 52 + rng.random()))
    volume = leads_per_week * (1 + 0.15 * season) * np.exp(_ar(rng, weeks, 0.5, 0.08))
    volume[(t % 52) == 51] *= 0.5
    week = np.repeat(t, np.maximum(rng.poisson(volume), 1))
    n = len(week)
    created = week * MICROS_PER_WEEK + rng.integers(0, MICROS_PER_WEEK, n)
    numbers = _numbers(rng, week)
    row_lead = np.repeat(np.arange(n), LOOKS_PER_LEAD)
    row_look = np.tile(np.arange(LOOKS_PER_LEAD), n)
    kept = created[row_lead] + row_look * MICROS_PER_WEEK < weeks * MICROS_PER_WEEK
    row_lead, row_look = row_lead[kept], row_look[kept]
    looks = np.asfortranarray(numbers[row_lead])
    looks[:, :GROWING] += np.float32(0.15) * row_look.astype(np.float32)[:, None]
    source = _categories(rng, week, (0.3, 0.15, 0.25, 0.15, 0.15))
    country = _categories(rng, week, (0.35, 0.25, 0.2, 0.2))
    beta, beta_new = _tastes(rng)
    handed = numbers[:, 0] + numbers[:, 1] + 0.5 * rng.standard_normal(n) > 0.3
    firm = Firm(
        week=week,
        created=created.astype(np.int64),
        numbers=numbers,
        source=source,
        country=country,
        luck=rng.random(n),
        delay=np.minimum(rng.gamma(1.5, MEAN_DELAY_WEEKS / 1.5, n), 1e3),
        draw=rng.random((n, 3)),
        handed=handed,
        beta=beta,
        beta_new=beta_new,
        noise_level=0.1 * season + _ar(rng, weeks, 0.5, 0.08),
        weights=np.zeros(0),
        centre=np.zeros(0),
        spread=np.zeros(0),
        seed=seed,
        change=change,
        row_lead=row_lead,
        row_look=row_look,
        looks=looks,
    )
    return _trained(firm)


def _numbers(rng: np.random.Generator, week: Ints) -> npt.NDArray[np.float32]:
    """Return each lead's numbers: related to one another, and to those of their week."""
    n, t = len(week), np.arange(int(week[-1]) + 1)
    noise = np.stack([_ar(rng, len(t), 0.6, 0.08) for _ in NUMBERS], axis=1)
    noise += 0.06 * np.sin(2 * np.pi * (t[:, None] / 52 + rng.random(len(NUMBERS))))
    common = rng.standard_normal((n, 5)).astype(np.float32)
    loading = rng.normal(0, 0.4, (5, len(NUMBERS))).astype(np.float32)
    numbers = rng.standard_normal((n, len(NUMBERS)), dtype=np.float32)
    numbers = (numbers + common @ loading) / np.sqrt(1 + (loading**2).sum(axis=0))
    numbers += noise[week].astype(np.float32)
    return np.asarray(numbers, dtype=np.float32)


def _tastes(rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Return what counts for buyers before and after a change of concept."""
    matter = rng.permutation(np.arange(len(OPENS), len(NUMBERS)))[: 2 * N_MATTER]
    size = np.sign(rng.standard_normal(2 * N_MATTER)) * rng.uniform(0.25, 0.55, 2 * N_MATTER)
    beta, beta_new = np.zeros(len(NUMBERS)), np.zeros(len(NUMBERS))
    beta[matter[:N_MATTER]] = size[:N_MATTER]
    beta_new[matter[:3]] = size[:3]
    beta_new[matter[N_MATTER:-3]] = size[N_MATTER:-3]
    return beta, beta_new


def _ar(rng: np.random.Generator, count: int, carry: float, scatter: float) -> Floats:
    noise = rng.normal(0, scatter * np.sqrt(1 - carry**2), count)
    noise[0] = rng.normal(0, scatter)
    for i in range(1, count):
        noise[i] += carry * noise[i - 1]
    return noise


def _categories(rng: np.random.Generator, week: Ints, shares: tuple[float, ...]) -> Ints:
    log_shares = np.log(shares) + np.stack(
        [_ar(rng, int(week[-1]) + 1, 0.6, 0.12) for _ in shares], axis=1
    )
    by_week = np.exp(log_shares)
    edges = np.cumsum(by_week / by_week.sum(axis=1, keepdims=True), axis=1)
    drawn = (rng.random(len(week))[:, None] > edges[week]).sum(axis=1)
    return np.minimum(drawn, len(shares) - 1).astype(np.int64)


def true_chance(
    firm: Firm, numbers: npt.NDArray[np.float32], world: str, handed: npt.NDArray[np.bool_]
) -> Floats:
    """Return each lead's chance to convert."""
    after = firm.week >= firm.change
    share = np.zeros(len(firm.week))
    if world == "concept":
        share = after.astype(float)
    elif world == "concept_gradual":
        share = np.clip((firm.week - firm.change) / 12, 0, 1)
    elif world == "concept_segment":
        share = (after & (firm.country == 0)).astype(float)
    elif world == "concept_recurring":
        share = (after & ((firm.week - firm.change) % 26 < 13)).astype(float)
    old, new = numbers @ firm.beta, numbers @ firm.beta_new
    lean = np.where(share > 0, (1 - share) * old + share * new, old)
    level = {"prior": -0.7, "prior_up": 0.6}.get(world, 0.0)
    lean = lean + firm.noise_level[firm.week] + level * after
    lean = lean + np.where(handed, 0.35, -0.35)
    base = firm.week < LEARNT_WEEKS
    return _chance(lean + _offset(old[base] + np.where(handed[base], 0.35, -0.35)))


def _offset(lean: Floats) -> float:
    low, high = -12.0, 4.0
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (middle, high) if _chance(lean + middle).mean() < BASE_RATE else (low, middle)
    return low


def _chance(log_odds: Floats) -> Floats:
    return 1.0 / (1.0 + np.exp(-log_odds))


def _converted_at(firm: Firm, chance: Floats, slower: Floats) -> Ints:
    delay = firm.delay * slower
    comes = (firm.luck < chance) & (delay < HORIZON_WEEKS)
    at = firm.created + (delay * MICROS_PER_WEEK).astype(np.int64)
    return np.where(comes, at, NEVER).astype(np.int64)


def _trained(firm: Firm) -> Firm:
    """Return the firm with the weights of a ridge logistic model of its first 40 weeks."""
    rows = np.flatnonzero(firm.week < LEARNT_WEEKS)
    numbers = firm.numbers[rows].astype(np.float64)
    centre, spread = numbers.mean(axis=0), numbers.std(axis=0)
    chance = true_chance(firm, firm.numbers, "none", firm.handed)
    at = _converted_at(firm, chance, np.ones(len(firm.week)))[rows]
    x = np.hstack([np.ones((len(rows), 1)), (numbers - centre) / spread])
    y = (at != NEVER).astype(np.float64)
    penalty = np.full(x.shape[1], 60.0)
    penalty[0] = 0.0
    weights = np.zeros(x.shape[1])
    weights[0] = np.log(y.mean() / (1 - y.mean()))
    for _ in range(6):
        p = _chance(x @ weights)
        curve = (x * (p * (1 - p))[:, None]).T @ x + np.diag(penalty)
        weights += np.linalg.solve(curve, x.T @ (y - p) - penalty * weights)
    return replace(firm, weights=weights, centre=centre, spread=spread)


def play(firm: Firm, name: str) -> Played:
    """Return the firm's history in one world."""
    world = WORLDS[name]
    numbers, source, country, handed = firm.numbers, firm.source, firm.country, firm.handed
    after = firm.week >= firm.change
    altered: tuple[str, ...] = ()
    if name == "campaign":
        joins = after & (firm.draw[:, 0] < 0.2)
        moved = np.arange(10, 18)
        numbers, source = numbers.copy(), np.where(joins, 0, source)
        numbers[np.ix_(joins, moved)] += 0.7
        altered = ("source", *(NUMBERS[i] for i in moved))
    if name == "new_market":
        joins = after & (firm.draw[:, 0] < 0.15)
        numbers, country = numbers.copy(), np.where(joins, 4, country)
        numbers[np.ix_(joins, np.arange(20, 23))] += 0.7
        altered = ("country", *(NUMBERS[i] for i in range(20, 23)))
    if name == "selection":
        handed = np.where(after, numbers[:, 3] > 1.0, handed)
    slower = np.where(after & (name == "sales_cycle"), 1.9, 1.0)
    at = _converted_at(firm, true_chance(firm, numbers, name, handed), slower)
    if name == "definition":
        small = numbers[:, 5] < 0.3
        recorded = ~(small & (at >= firm.change * MICROS_PER_WEEK))
        at = np.where(recorded, at, NEVER)
    return _history(firm, world, _Seen(numbers, source, country, handed, at), altered)


@dataclass(frozen=True)
class _Seen:
    """What is known of the leads in one world; `moved` are positions of numbers that differ."""

    numbers: npt.NDArray[np.float32]
    source: Ints
    country: Ints
    handed: npt.NDArray[np.bool_]
    converted_at: Ints


def _history(firm: Firm, world: World, seen: _Seen, altered: tuple[str, ...]) -> Played:
    lead, look = firm.row_lead, firm.row_look
    as_of = firm.created[lead] + look * MICROS_PER_WEEK
    broken = np.flatnonzero(as_of >= firm.change * MICROS_PER_WEEK)
    if world.kind in ("instrumentation", "bots"):
        altered = world.columns
    looks, (fit, engagement) = firm.looks, _parts(firm, seen)
    differing = [i for i, name in enumerate(NUMBERS) if name in altered]
    if differing:
        looks = looks.copy(order="F")
    for i in differing:
        column = seen.numbers[lead, i] + _grown(i) * look
        before = column.copy()
        _break(world.name, NUMBERS[i], column, broken[firm.draw[lead[broken], 1] < 0.3], broken)
        looks[:, i] = column
        grown = _grown(i) * look
        change = _used(firm, i, column - grown) - _used(firm, i, before - grown)
        part = engagement if i < FIRST_FIT else fit
        part += change * firm.weights[1 + i]
    sources = seen.source[lead]
    if world.name == "field_renamed":
        sources[broken] = len(SOURCES)
    return Played(
        world,
        ScoredHistory(
            scores=_scores(lead, look, as_of, (fit, engagement)),
            matrix=_matrix(looks, sources, seen.country[lead]),
            converted_at=seen.converted_at[lead],
            verdicts=pd.DataFrame(columns=["lead_id", "given_at", "verdict", "reason", "who"]),
            horizon=HORIZON_WEEKS * MICROS_PER_WEEK,
            data_end=firm.weeks * MICROS_PER_WEEK,
            learnt_until=LEARNT_WEEKS * MICROS_PER_WEEK,
            handed_at=np.where(seen.handed, firm.created + MICROS_PER_DAY, NEVER)[lead],
        ),
        firm.change,
        (firm.change * MICROS_PER_WEEK,) if world.is_registered else (),
        altered,
    )


def _parts(firm: Firm, seen: _Seen) -> tuple[Floats, Floats]:
    """Return the model's fit and engagement parts of every row, before anything breaks."""
    lean = (seen.numbers.astype(np.float32) - firm.centre.astype(np.float32)) / firm.spread
    lean = np.clip(lean, -8, 8) * firm.weights[1:]
    engagement = lean[:, :FIRST_FIT].sum(axis=1)[firm.row_lead]
    return lean[:, FIRST_FIT:].sum(axis=1)[firm.row_lead] + firm.weights[0], engagement


def _matrix(looks: npt.NDArray[np.float32], sources: Ints, countries: Ints) -> pd.DataFrame:
    matrix = pd.DataFrame(looks, columns=list(NUMBERS), copy=False)
    codes = np.where(sources < len(SOURCES), sources, -1)
    matrix["source"] = pd.Categorical.from_codes(codes, list(SOURCES))
    matrix["country"] = pd.Categorical.from_codes(countries, [*COUNTRIES, "US"])
    return matrix


def _scores(lead: Ints, look: Ints, as_of: Ints, parts: tuple[Floats, Floats]) -> pd.DataFrame:
    fit, engagement = parts
    return pd.DataFrame(
        {
            "lead_id": lead,
            "as_of": as_of,
            "probability": lasting_chance(_chance(fit + engagement), look),
            "fit_part": fit,
            "engagement_part": engagement,
        }
    )


def _grown(i: int) -> np.float32:
    """Return by how much a number grows from look to look: what leads do adds up."""
    return np.float32(0.15 if i < GROWING else 0.0)


def _used(firm: Firm, i: int, column: npt.NDArray[np.float32]) -> Floats:
    """Return a number as the model uses it: cut at eight deviations."""
    return np.asarray(np.clip((column - firm.centre[i]) / firm.spread[i], -8, 8), dtype=np.float64)


def _break(
    world: str, name: str, column: npt.NDArray[np.float32], bots: Ints, broken: Ints
) -> None:
    """Change a column in place as a world's broken measurement does."""
    if world == "tag_lost" and name in WEB[:3]:
        column[broken] = column.min()
    if world == "unit_changed" and name == ATTRIBUTES[1]:
        # A quantity that is five deviations above zero on average, in a unit sixty times smaller.
        column[broken] = (column[broken] + 5) * 60 - 5
    if world == "bot_opens" and name == OPENS[0]:
        column[bots] += 2.5


def lasting_chance(chance: Floats, look: Ints) -> Floats:
    """Return the chance of leads that have not converted by their look."""
    from scipy.special import gammainc

    share = gammainc(1.5, look * 1.5 / MEAN_DELAY_WEEKS)
    share = share / gammainc(1.5, HORIZON_WEEKS * 1.5 / MEAN_DELAY_WEEKS)
    return np.asarray(chance * (1 - share) / (1 - chance * share))
