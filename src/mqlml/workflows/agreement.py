"""The criteria that are in force at a moment, and whether both teams signed them."""

from dataclasses import replace

from mqlml.criteria.agreement import agreement_faults
from mqlml.criteria.settings import Criteria
from mqlml.criteria.versions import in_force
from mqlml.errors import ConfigError, Fault
from mqlml.tables.contracts import Tables
from mqlml.workflows.project import Project


def project_at(project: Project, tables: Tables, moment: int) -> Project:
    """Return the project with the version of its criteria that is in force at `moment`.

    A config that names one version keeps it, so that one can train as of a day
    before it was agreed. Times made from an order column are no days: there the
    latest version serves. Raises ConfigError if no listed version is valid yet.
    """
    versions = project.settings.criteria_versions
    if len(versions) == 1 or tables.is_order_time:
        return project
    zone = project.settings.timezone or "UTC"
    return _with(project, in_force(versions, moment, zone=zone))


def agreed_project(
    project: Project, tables: Tables, moment: int, *, allow_unsigned: bool = False
) -> Project:
    """Return the project with criteria that may decide about leads at `moment`.

    Raises:
        ConfigError: no version is valid yet; or a team has signed them, and they are
            not signed by both as they are now (unless `allow_unsigned`).
    """
    settings = project.settings
    if not tables.is_order_time:
        zone = settings.timezone or "UTC"
        project = _with(project, in_force(settings.criteria_versions, moment, zone=zone))
    faults = () if allow_unsigned else tuple(agreement_faults(project.settings.criteria))
    if faults:
        anyway = "mqlml score --allow-unsigned scores all the same, and records that it did"
        way_out = Fault("leads are not handed over by criteria without agreement", mend=anyway)
        raise ConfigError(*faults, way_out)
    return project


def _with(project: Project, criteria: Criteria) -> Project:
    return replace(project, settings=project.settings.model_copy(update={"criteria": criteria}))
