"""A small company, simulated once: 1,500 leads, the story's ICP change, fixed seed."""

from pathlib import Path

import pytest

from mqlml.demo.company import DemoCompany, simulate
from mqlml.demo.export import write_exports
from mqlml.demo.settings import DemoSettings


@pytest.fixture(scope="session")
def small_company() -> DemoCompany:
    return simulate(DemoSettings(n_leads=1_500), seed=11)


@pytest.fixture(scope="session")
def exported(small_company: DemoCompany, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exports")
    write_exports(small_company, folder)
    return folder
