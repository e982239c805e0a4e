"""What columns are called that tell of a person what a score should not lean on.

Plain lists of words in English, German, French, Spanish, Italian, Dutch and Portuguese, as
`plain_words` writes them: no case, no accents. A strong word tells wherever it stands in a
name; a weak one ("age", "race") only alone or beside words that say whose it is, because
"page age" and "account age" are nobody's.
"""

import re

from mqlml.features.wording import plain_words

AGE, GENDER, HOME = "age", "gender", "where somebody lives"

_STRONG: dict[str, tuple[str, ...]] = {
    AGE: (
        "date of birth|birth date|birthdate|birthday|birth year|year of birth|yob|dob",
        "geburtsdatum|geburtstag|geburtsjahr|geboren|date de naissance|naissance",
        "fecha de nacimiento|nacimiento|data di nascita|nascita|geboortedatum|nascimento",
        "edad|leeftijd|idade|lebensalter",
    ),
    GENDER: (
        "gender|sex|sexual orientation|pronouns|salutation",
        "geschlecht|anrede|sexe|civilite|sexo|genero|sesso|geslacht",
    ),
    "nationality": (
        "nationality|citizenship|country of birth|place of birth|birthplace|immigration",
        "staatsangehorigkeit|staatsburgerschaft|nationalitat|geburtsort|geburtsland|nationalite",
        "nacionalidad|nazionalita|nationaliteit|nacionalidade",
    ),
    "ethnicity": (
        "ethnicity|ethnic|ethnic group|skin color|skin colour|caste",
        "ethnie|ethnische herkunft|etnia|etnicidad|etniciteit",
    ),
    "religion": (
        "religion|religious|faith",
        "konfession|religionszugehorigkeit|glaube|religione|godsdienst|religiao",
    ),
    "marital status": (
        "marital|marital status|civil status|married|marriage",
        "familienstand|verheiratet|etat civil|situation familiale|situation matrimoniale",
        "estado civil|stato civile|burgerlijke staat",
    ),
    "disability": (
        "disability|disabilities|handicap|handicapped",
        "behinderung|schwerbehindert|discapacidad|disabilita|deficiencia",
    ),
    HOME: (
        "postcode|post code|postal code|postalcode|zipcode|zip code",
        "postleitzahl|plz|code postal|codigo postal|codice postale",
    ),
}
_WEAK: dict[str, tuple[str, ...]] = {
    AGE: ("age", "ages", "alter", "birth"),
    "ethnicity": ("race",),
    "disability": ("disabled",),
    HOME: ("zip", "postal"),
}
_WHOSE = """
    group groups band range bracket bucket class category years year in of the is a at
    customer client person personal persons user applicant respondent buyer member
    employee contact mailing billing shipping home address code 4 5 kunde kunden der des
    gruppe
"""
_BESIDE = frozenset(_WHOSE.split())


def _pattern(lists: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf" (?:{'|'.join(lists)}) ")


_STRONG_PATTERNS = {kind: _pattern(lists) for kind, lists in _STRONG.items()}
# "sexo2", "genderCode": capitals and digits begin words too.
_EDGE = re.compile(r"(?<=[a-zà-ÿ])(?=[A-Z0-9])")


def sensitive_kind(name: str) -> str:
    """Return what a column of this name tells of a person, empty if nothing sensitive.

    >>> sensitive_kind("dateOfBirth"), sensitive_kind("Familienstand"), sensitive_kind("page_age")
    ('age', 'marital status', '')
    """
    words = plain_words(_EDGE.sub(" ", name))
    for kind, pattern in _STRONG_PATTERNS.items():
        if pattern.search(words):
            return kind
    parts = set(words.split())
    for kind, weak in _WEAK.items():
        if parts & set(weak) and parts <= {*weak, *_BESIDE}:
            return kind
    return ""
