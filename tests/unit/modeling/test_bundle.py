import json
from pathlib import Path

import numpy as np
import pytest
from tests.modeling_company import tournament

from mqlml.errors import BundleError, SchemaError
from mqlml.modeling.bundle import MANIFEST, Bundle, bundle_files, load_bundle, save_bundle
from mqlml.modeling.files import json_bytes
from mqlml.modeling.model import model_from_files

CONTESTANTS = ("base_rate", "points_rules", "logistic", "lightgbm")


def bundle_of(name: str) -> Bundle:
    company, _, result = tournament(name)
    facts = {"base_rate": 0.3, "undefined": float("nan")}
    personas = [{"name": "builders", "when": "industry = 'steel'"}]
    return Bundle(result.model, company.plan, {"version": 1}, personas, facts, "demo")


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    save_bundle(bundle_of("lightgbm"), tmp_path / "bundle")
    return tmp_path / "bundle"


def rewrite(folder: Path, **changes: object) -> None:
    manifest = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_bytes(json_bytes(manifest | changes))


@pytest.mark.parametrize("name", CONTESTANTS)
def test_a_loaded_bundle_says_exactly_what_the_saved_one_said(name: str, tmp_path: Path) -> None:
    bundle = bundle_of(name)
    company, _, _ = tournament(name)
    save_bundle(bundle, tmp_path)
    loaded = load_bundle(tmp_path)
    np.testing.assert_array_equal(
        loaded.model.log_odds(company.matrix), bundle.model.log_odds(company.matrix)
    )
    assert loaded.plan == bundle.plan
    assert (loaded.criteria, loaded.personas) == (bundle.criteria, bundle.personas)
    assert loaded.facts == {"base_rate": 0.3, "undefined": None}
    assert bundle_files(loaded) == bundle_files(bundle)


def test_a_bundle_holds_no_pickle(saved: Path) -> None:
    assert {path.suffix for path in saved.iterdir()} == {".json", ".txt"}


@pytest.mark.parametrize("name", CONTESTANTS)
def test_one_row_alone_equals_the_batch(name: str) -> None:
    company, _, result = tournament(name)
    batch = result.model.log_odds(company.matrix)
    alone = [result.model.log_odds(company.matrix.iloc[[i]])[0] for i in range(25)]
    assert alone == batch[:25].tolist()


@pytest.mark.parametrize("name", CONTESTANTS)
def test_the_calibrated_parts_and_contributions_sum_to_the_log_odds(name: str) -> None:
    company, _, result = tournament(name)
    said = result.model.log_odds(company.matrix)
    parts, found = result.model.parts(company.matrix), result.model.contributions(company.matrix)
    np.testing.assert_allclose(parts.sum(axis=1), said, atol=1e-9)
    np.testing.assert_allclose(found.sum(axis=1), said, atol=1e-9)
    assert list(found.columns) == [*company.plan.columns, "__base"]
    np.testing.assert_allclose(
        result.model.probability(company.matrix), 1 / (1 + np.exp(-said)), atol=1e-12
    )


def test_a_matrix_that_is_not_the_plans_is_refused() -> None:
    company, _, result = tournament("logistic")
    with pytest.raises(SchemaError, match="visits: feature column is missing"):
        result.model.probability(company.matrix.drop(columns="visits"))


def test_no_folder_and_no_manifest_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="no such folder"):
        load_bundle(tmp_path / "nowhere")
    with pytest.raises(BundleError, match=r"no manifest\.json"):
        load_bundle(tmp_path)


def test_a_newer_bundle_asks_for_an_update(saved: Path) -> None:
    rewrite(saved, format_version=99)
    with pytest.raises(BundleError, match="update mqlml"):
        load_bundle(saved)


def test_altered_and_missing_files_are_named_at_once(saved: Path) -> None:
    (saved / "facts.json").write_bytes(b"{}")
    (saved / "plan.json").unlink()
    with pytest.raises(BundleError) as caught:
        load_bundle(saved)
    assert [fault.what for fault in caught.value.faults] == [
        "file of the bundle was altered",
        "file of the bundle is missing",
    ]


def test_a_file_cut_short_is_altered(saved: Path) -> None:
    text = (saved / "booster.txt").read_bytes()
    (saved / "booster.txt").write_bytes(text[:-1])
    with pytest.raises(BundleError, match=r"booster\.txt: file of the bundle was altered"):
        load_bundle(saved)


@pytest.mark.parametrize("content", [b"", b"not json", b"[]", b"\xff\xfe", b'{"files": {}}'])
def test_a_damaged_manifest_is_a_clear_error(saved: Path, content: bytes) -> None:
    (saved / MANIFEST).write_bytes(content)
    with pytest.raises(BundleError):
        load_bundle(saved)


def test_a_manifest_cannot_point_outside_its_folder(saved: Path) -> None:
    (saved.parent / "secret").write_text("x")
    rewrite(saved, files={"../secret": "0"})
    with pytest.raises(BundleError, match="missing"):
        load_bundle(saved)


def test_a_manifest_without_the_models_files_is_a_clear_error(saved: Path) -> None:
    rewrite(saved, files={})
    with pytest.raises(BundleError, match="bundle cannot be read"):
        load_bundle(saved)


def test_a_model_of_an_unknown_kind_asks_for_an_update(tmp_path: Path) -> None:
    files = bundle_files(bundle_of("logistic"))
    model = json.loads(files["model.json"])
    with pytest.raises(BundleError, match="unknown kind of model"):
        model_from_files(files | {"model.json": json_bytes(model | {"kind": "oracle"})})
