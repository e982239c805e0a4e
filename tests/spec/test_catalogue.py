from typing import get_args

from tests.spec.render import PAGE, feature_catalogue

from mqlml.features.kinds.catalogue import ALL_KINDS
from mqlml.features.settings import EventKind


def test_the_feature_page_is_what_the_specs_render() -> None:
    assert PAGE.read_text(encoding="utf-8") == feature_catalogue(), (
        "docs/features.md is out of date: run python -m tests.spec.render"
    )


def test_the_settings_offer_exactly_the_kinds_of_the_catalogue() -> None:
    assert get_args(EventKind) == tuple(ALL_KINDS)
