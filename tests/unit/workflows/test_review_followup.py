from dataclasses import replace
from pathlib import Path

from mqlml.review.followup import FollowUp
from mqlml.review.unseen_followup import EarlierReason, FollowedReason
from mqlml.storage.ledger import Entry, write_entry
from mqlml.storage.workspace import Workspace
from mqlml.workflows.project import Project
from mqlml.workflows.review_followup import KIND, kept_findings, last_review

NO_NEED = EarlierReason("no_need", 60, 100, 0.5, 10, ("attribute source",))
NO_BUDGET = EarlierReason("no_budget", 55, 100, 0.52, 5, ())


def project(tmp_path: Path) -> Project:
    return Project(None, tmp_path, Workspace(tmp_path / "w"), {})  # type: ignore[arg-type]


def kept(project: Project, as_of: int, payload: dict[str, object]) -> None:
    whole = {"run_id": f"r{as_of}", "accepted": 70, "rejected": 100, **payload}
    write_entry(project.workspace.ledger, Entry(KIND, as_of, whole))


def test_the_next_review_reads_the_reasons_that_no_column_told(tmp_path: Path) -> None:
    at = project(tmp_path)
    kept(at, 10, kept_findings([], [NO_NEED], None))
    last = last_review(at, 20)
    assert last is not None
    assert last.reasons == (NO_NEED,)
    assert last_review(at, 10) is None


def test_a_reason_that_is_not_settled_stays_on_the_list_until_it_is_found_anew() -> None:
    def followed(state: str) -> FollowUp:
        one = FollowedReason(NO_BUDGET, 3, 9, float("nan"), (), state)  # type: ignore[arg-type]
        return FollowUp(None, 0, 0, (), (one,))  # type: ignore[arg-type]

    def named(reasons: list[EarlierReason], follow: FollowUp) -> list[tuple[str, int]]:
        found = kept_findings([], reasons, follow)["unseen"]
        return [(one["reason"], one["until"]) for one in found]

    open_one = followed("too few verdicts yet")
    assert named([NO_NEED], open_one) == [("no_need", 10), ("no_budget", 5)]
    assert named([NO_NEED], followed("rarer")) == [("no_need", 10)]
    assert named([replace(NO_BUDGET, until=10)], open_one) == [("no_budget", 10)]


def test_a_review_of_an_older_version_has_no_reasons_to_come_back_to(tmp_path: Path) -> None:
    at = project(tmp_path)
    kept(at, 10, {"findings": [], "left_open": []})
    last = last_review(at, 20)
    assert last is not None
    assert last.reasons == ()
