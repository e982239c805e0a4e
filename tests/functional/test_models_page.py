"""The page on exported bundles: every command and line of Python on it is run, in order."""

import re
import runpy
import shlex
import shutil
from pathlib import Path

import numpy as np

PAGE = Path(__file__).parents[2] / "models" / "README.md"
BLOCKS = re.compile(r"```(sh|python)\n(.*?)```", re.DOTALL)


def test_an_exported_bundle_is_loaded_and_asked_as_the_page_says(
    mqlml, company, workspace, tmp_path, monkeypatch
):
    shutil.copytree(company.parent, tmp_path, dirs_exist_ok=True)
    (tmp_path / "config.yaml").rename(tmp_path / "my.yaml")
    workspace.rename(tmp_path / ".mqlml")
    monkeypatch.chdir(tmp_path)
    words = "features --config my.yaml --as-of 2025-12-01 --out features.parquet"
    assert mqlml(*shlex.split(words)).code == 0
    python = ""
    for language, text in BLOCKS.findall(PAGE.read_text(encoding="utf-8")):
        if language == "sh":
            assert mqlml(*shlex.split(text)[1:]).code == 0
        else:
            python += text
    Path("page.py").write_text(python, encoding="utf-8")
    names = runpy.run_path("page.py")
    probability, parts, reasons = (names[name] for name in ("probability", "parts", "reasons"))
    assert len(probability) == len(reasons) > 50
    odds = parts.sum(axis=1).to_numpy()
    np.testing.assert_allclose(probability, 1 / (1 + np.exp(-odds)), rtol=1e-9)
    assert (reasons["reasons_up"] != "").any()
