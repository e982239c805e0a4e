"""What a job title and a company size say: seniority, function, buying role, a number.

The rules are lists of words in English, German, French and Spanish (titles.py),
tried in the order written here: the first that holds decides. Only the first
300 characters of a title are read.
"""

import math
import re
from numbers import Real

from mqlml.features import titles
from mqlml.features.wording import plain_words, tidy

SENIORITIES = (
    "c_level",
    "vp",
    "director",
    "manager",
    "senior",
    "individual",
    "intern",
    "unknown",
)
FUNCTIONS = (
    "marketing",
    "sales",
    "it",
    "finance",
    "hr",
    "operations",
    "product",
    "legal",
    "management",
    "other",
)
BUYING_ROLES = ("decision_maker", "influencer", "user", "none")

_ROLE_OF = {
    "c_level": "decision_maker",
    "vp": "decision_maker",
    "director": "decision_maker",
    "manager": "influencer",
    "senior": "influencer",
    "individual": "user",
    "intern": "none",
    "unknown": "none",
}


def _pattern(words: str) -> re.Pattern[str]:
    """Return a pattern that finds any of the words or phrases; `*` stands for more letters."""
    phrases = [_phrase(part) for part in words.split(",")]
    return re.compile(rf"\b(?:{'|'.join(phrases)})\b")


def _phrase(part: str) -> str:
    return " ".join(part.split()).replace("*", r"\w*")


_NOT_REALLY = _pattern(titles.NOT_REALLY)
_SENIORITY_RULES = tuple((name, _pattern(words)) for name, words in titles.SENIORITY_WORDS)
_FUNCTION_RULES = tuple((name, _pattern(words)) for name, words in titles.FUNCTION_WORDS)
_WEAK_FUNCTION_RULES = tuple((name, _pattern(words)) for name, words in titles.WEAK_FUNCTION_WORDS)


def title_seniority(title: str) -> str:
    """Return one of SENIORITIES; "unknown" when no word of the title is understood.

    >>> title_seniority("Sr. Mgr, Demand Gen"), title_seniority("VP-level intern")
    ('manager', 'intern')
    """
    words = _NOT_REALLY.sub(" ", plain_words(title))
    for name, pattern in _SENIORITY_RULES:
        if pattern.search(words):
            return name
    return "unknown"


def title_function(title: str) -> str:
    """Return one of FUNCTIONS: the one named first, "other" when none is.

    Operations, product and general management count only when nothing else is
    named, so that "Product Marketing" is marketing.

    >>> title_function("Head of IT"), title_function("Geschäftsführer")
    ('it', 'management')
    """
    words = plain_words(title)
    return _first_named(words, _FUNCTION_RULES) or _first_named(
        words, _WEAK_FUNCTION_RULES, "other"
    )


def _first_named(
    words: str, rules: tuple[tuple[str, re.Pattern[str]], ...], otherwise: str = ""
) -> str:
    found = [(m.start(), name) for name, pattern in rules if (m := pattern.search(words))]
    return min(found)[1] if found else otherwise


def title_buying_role(title: str) -> str:
    """Return one of BUYING_ROLES, by seniority: what part the person has in a purchase.

    >>> title_buying_role("CFO"), title_buying_role("Data Analyst")
    ('decision_maker', 'user')
    """
    return _ROLE_OF[title_seniority(title)]


_NUMBER = re.compile(r"(\d{1,3}(?:[.,' ]\d{3})+|\d+(?:[.,]\d+)?)\s*(k|m)?\b")
_AT_MOST = re.compile(r"(<|≤|less|under|up to|fewer|unter|bis|moins|menos)")
_ALONE = _pattern(
    "self employed, selfemployed, freelance*, just me, solo, freiberuf*, selbststandig*"
)


def company_size(value: object) -> float:
    """Return the number of employees that a size says, NaN when it says none.

    A range gives its middle, "10,000+" its lower end, "<10" half of its upper
    end. A separator before groups of three digits separates thousands.

    >>> company_size("51-200"), company_size("10,000+"), company_size(350)
    (125.5, 10000.0, 350.0)
    """
    if isinstance(value, Real):
        number = float(value)
        return number if math.isfinite(number) and number >= 0 else math.nan
    if value is None:
        return math.nan
    text = tidy(str(value)[:100])
    numbers = [_number(digits, unit) for digits, unit in _NUMBER.findall(text)]
    if not numbers:
        return 1.0 if _ALONE.search(plain_words(text)) else math.nan
    return _size_between(text, numbers)


def _size_between(text: str, numbers: list[float]) -> float:
    if len(numbers) == 1 and not text.startswith(("-", "−")):
        return numbers[0] / 2 if _AT_MOST.match(text) else numbers[0]
    if len(numbers) == 2 and numbers[0] <= numbers[1]:
        return (numbers[0] + numbers[1]) / 2
    return math.nan


def _number(digits: str, unit: str) -> float:
    whole = re.fullmatch(r"\d{1,3}(?:[.,' ]\d{3})+", digits)
    plain = re.sub(r"[.,' ]", "", digits) if whole else digits.replace(",", ".")
    return float(plain) * {"k": 1_000, "m": 1_000_000}.get(unit, 1)
