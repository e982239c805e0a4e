"""`mqlml criteria sign` and `diff`: one file signed, two files compared."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from mqlml.config import criteria_of, load_criteria, parse_yaml
from mqlml.criteria.agreement import Agreement, agreement_faults, agreement_of
from mqlml.criteria.compare import criteria_changes
from mqlml.criteria.file import criteria_digest
from mqlml.criteria.settings import Criteria, SignOff
from mqlml.criteria.signing import signed_text
from mqlml.errors import ConfigError, Fault, UsageError
from mqlml.storage.atomic import replace_file

_BYTE_ORDER_MARK = "\ufeff"


@dataclass(frozen=True)
class Signed:
    """A criteria file with the signature it now bears."""

    path: Path
    criteria: Criteria
    signature: SignOff

    def document(self) -> dict[str, Any]:
        """Return the answer for programs."""
        return {
            "file": str(self.path),
            **criteria_document(self.criteria),
            "signature": self.signature.model_dump(),
            "missing": [fault.what for fault in agreement_faults(self.criteria)],
        }

    def lines(self) -> Iterator[str]:
        """Yield the answer for people."""
        shown = f"version {self.criteria.version} ({self.signature.digest})"
        yield f"{self.signature.who} signed {shown} for {self.signature.team} in {self.path}"
        if agreement_of(self.criteria) is Agreement.SIGNED:
            yield "both teams have signed it"
        yield from (f"{fault.what}: {fault.found}" for fault in agreement_faults(self.criteria))


@dataclass(frozen=True)
class Compared:
    """Two versions of the criteria, and what became of the old in the new."""

    old: Criteria
    new: Criteria

    @property
    def changes(self) -> tuple[str, ...]:
        """Return a sentence per difference."""
        return criteria_changes(self.old, self.new)

    def document(self) -> dict[str, Any]:
        """Return the answer for programs."""
        sides = {"old": criteria_document(self.old), "new": criteria_document(self.new)}
        return {**sides, "changes": list(self.changes)}

    def lines(self) -> Iterator[str]:
        """Yield the answer for people."""
        yield from self.changes or ("both say the same",)
        if self.changes and self.old.version == self.new.version:
            yield f"both call themselves version {self.new.version}: raise the version of the newer"


def criteria_document(criteria: Criteria) -> dict[str, Any]:
    """Return what names one version for programs: version, digest, first day, agreement."""
    return {
        "version": criteria.version,
        "digest": criteria_digest(criteria),
        "valid_from": criteria.valid_from,
        "agreement": agreement_of(criteria).value,
    }


def compare(old: Path, new: Path) -> Compared:
    """Return what changed from one criteria file to another; ConfigError with faults of either."""
    return Compared(load_criteria(old), load_criteria(new))


def sign(path: Path, signature: SignOff) -> Signed:
    """Sign what the file says now, for one team, and leave the rest of its text as it is.

    The digest is filled in. The file is replaced whole or stays.

    Raises:
        UsageError: a signature without a name, or on something that is no day.
        ConfigError: the file is no sound criteria file.
    """
    _refuse_nobody(signature)
    criteria = load_criteria(path)
    made = signature.model_copy(update={"digest": criteria_digest(criteria)})
    text = path.resolve().read_bytes().decode("utf-8")
    plain = text.removeprefix(_BYTE_ORDER_MARK)
    try:
        fresh = signed_text(plain, made)
        signed = criteria_of(parse_yaml(fresh, path))
    except (TypeError, ConfigError) as error:
        raise ConfigError(_unwritable(path, str(error))) from error
    if made not in signed.signed or criteria_digest(signed) != made.digest:
        raise ConfigError(_unwritable(path, "an unusual way of writing YAML"))
    mark = _BYTE_ORDER_MARK if text != plain else ""
    replace_file(path.resolve(), (mark + fresh).encode())
    return Signed(path, signed, made)


def _refuse_nobody(signature: SignOff) -> None:
    faults = []
    if not signature.who.strip():
        faults.append(Fault("nobody signs", "--who", repr(signature.who), "give a name"))
    try:
        date.fromisoformat(signature.on)
    except ValueError:
        faults.append(Fault("not a day", "--date", repr(signature.on), "write it like 2026-03-31"))
    if faults:
        raise UsageError(*faults)


def _unwritable(path: Path, found: str) -> Fault:
    mend = "write 'signed:' as a list at the left margin, or remove it, and sign again"
    return Fault("no place for a signature", str(path), found, mend)
