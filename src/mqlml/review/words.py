"""The words of a note, and pairs of neighbours, without what may name or reach a person.

Hidden are tags, mail and web addresses, whatever has a digit (telephone numbers, ids, dates), the
names after a title, and two capitalised words in a row, as names are written. So a German
noun after a capitalised word is lost now and then: better than a name that is shown.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise

# Enough for any reason; a note of a megabyte says no more.
MOST_CHARACTERS = 2_000
_LONGEST_WORD = 30
_BREAK = " | "
_HIDDEN = re.compile(
    r"<[^<>]*>"
    r"|\S*@\S*"
    r"|(?:https?://|www\.)\S+"
    r"|\b[\w-]+(?:\.[\w-]+)*\.[a-z]{2,6}\b"
    r"|\S*\d\S*"
    r"|\b(?:mr|mrs|ms|miss|dr|prof|herrn?|frau|mme|mlle|monsieur|madame|sra?|sig|dhr|mevr)\b"
    r"\.?\s+\w[\w'’-]*",
    re.IGNORECASE,
)
_PIECES = re.compile(r"[.!?;:,()\[\]{}\"“”„«»\n\r\t/|]+")
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# They tell nothing alone, yet "no budget" is not "budget".
NEGATIONS = _words(
    """
    no not none never without kein keine keinen keiner keinem nicht ohne nie pas sans non aucun
    aucune jamais sin nunca senza mai niet geen zonder não sem
    """
)
# Words of grammar: English, German, French, Spanish, Italian, Dutch, Portuguese.
STOP_WORDS = _words(
    """
    a about after again all also am an and any are as at be because been before being but by can
    could did do does doing down during each few for from further get got had has have having he her
    here him his how i if in into is it its just me more most my now of off on once only or other
    our out over own said same says she should so some still such than that the their them then
    there these they this those through to too under until up very was we were what when where which
    while who why will with would you your
    aber alle als am an auch auf aus bei bin bis da das dass dem den der des die dies diese dieser
    doch dort du durch ein eine einem einen einer er es etwas für gegen hat hatte haben ich ihm ihn
    ihr ihre im in ist ja jetzt kann man mehr mein mich mir mit nach noch nun nur ob oder schon sehr
    sein seine sich sie sind so über um und uns unser unter vom von vor war waren was weil wenn wer
    werden wie wieder wir wird wo wurde zu zum zur
    au aux avec ce ces cet cette dans de des du elle elles en est et eu il ils je la le les leur lui
    ma mais me même mes mon ne nos notre nous on ont ou où par plus pour qu que qui sa se ses son
    sont sur ta te tu un une vos votre vous y été être
    al algo como con cual cuando del desde donde el ella ellos en entre era es esta este esto están
    fue ha hay la las lo los más me mi muy nos o para pero por porque que quien se ser si sobre son
    su sus también te tiene todo un una uno y ya
    ai al alla anche che chi ci come con cui da dal dalla degli dei del della di e gli ha hanno i il
    in io la le lo loro ma mi ne nel nella o per più quello questa questo se si sono su sua suo tra
    un una uno è
    aan als bij dan dat de die dit een en er had heb heeft het hij hoe ik in is je kan maar me meer
    met mij naar nog nu of om omdat onder ons ook op over te toch tot u uit van veel voor wat we
    werd wie wij wordt zal ze zich zij zijn zo
    ao aos as até com como da das de dela dele do dos e ela ele em entre era essa esse esta este eu
    foi há isso já lhe mais mas me meu na nas no nos o os ou para pela pelo por qual quando que quem
    se seu sua são também te tem um uma você à
    """
) - {"no"}


def terms_of(note: str, names: frozenset[str] = frozenset()) -> frozenset[str]:
    """Return the lower-case words and pairs of neighbouring words that a note is made of.

    Words of grammar are passed over; a negation counts as the first of a pair only. `names`
    are further words, in lower case, that are hidden.

    >>> sorted(terms_of("No budget until 2027, ask Ann Weber (ann@firm.example)"))
    ['ask', 'budget', 'no budget']
    """
    shown = _HIDDEN.sub(_BREAK, note[:MOST_CHARACTERS])
    found: set[str] = set()
    for piece in _PIECES.split(shown):
        for run in _runs(_WORD.findall(piece), names):
            found |= {word for word in run if word not in NEGATIONS}
            found |= {
                f"{first} {second}" for first, second in pairwise(run) if second not in NEGATIONS
            }
    return frozenset(found)


def _runs(written: list[str], names: frozenset[str]) -> Iterator[list[str]]:
    """Yield what stands together of a piece of text: words, lower-case, nothing hidden between."""
    run: list[str] = []
    for word, hidden in zip(written, _name_like(written), strict=True):
        low = word.lower()
        if hidden or low in names or len(low) > _LONGEST_WORD:
            yield run
            run = []
        elif low in NEGATIONS or (low not in STOP_WORDS and len(low) > 1):
            run.append(low)
    yield run


def _name_like(words: list[str]) -> list[bool]:
    """Return which words are part of two or more capitalised ones in a row.

    A word of grammar in front, as a sentence begins, is none of them.
    """
    capital = [
        word[:1].isupper() and not word.isupper() and word.lower() not in STOP_WORDS | NEGATIONS
        for word in words
    ]
    return [
        capital[i] and (capital[i - 1 : i] == [True] or capital[i + 1 : i + 2] == [True])
        for i in range(len(words))
    ]


def words_of_ids(ids: Iterable[str]) -> frozenset[str]:
    """Return the words that ids are made of, in lower case: a rep's id may be a name.

    >>> sorted(words_of_ids(["ann.weber", "rep-7"]))
    ['ann', 'rep', 'weber']
    """
    return frozenset(
        part for one in ids for part in re.split(r"[\W\d_]+", one.lower()) if len(part) > 1
    )
