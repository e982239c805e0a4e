"""Commands that look back and tell: monitor and alerts."""

from typing import Annotated

import typer

from mqlml.cli.opening import progress, project_of
from mqlml.cli.options import DEFAULT_WORKSPACE, AsOf, Config, Data, Json, WorkspacePath
from mqlml.cli.output import answer, note
from mqlml.errors import ALARM_EXIT_CODE, DataError, Fault


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command()(monitor)
    app.command()(alerts)


def monitor(
    config: Config,
    *,
    data: Data = None,
    workspace: WorkspacePath = DEFAULT_WORKSPACE,
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """Say what changed since the champion was trained; exit 10 once for each change to act on."""
    from mqlml.workflows.monitor import monitor as run

    project = project_of(config, data, workspace)
    result = run(project, as_of=project.instant(as_of), say=progress)
    if as_of is None:
        note(f"as of {result.as_of}, the end of the data")
    answer(result.document(), result.lines(), as_json=as_json)
    if result.news:
        raise typer.Exit(ALARM_EXIT_CODE)


def alerts(
    config: Config,
    *,
    data: Data = None,
    workspace: WorkspacePath = DEFAULT_WORKSPACE,
    test: Annotated[
        bool, typer.Option("--test", help="Send a message that says it is a test, by every way.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Send the alerts that still wait, or a test; exit 5 when a test is not taken."""
    from mqlml.storage.snapshot import read_tables
    from mqlml.workflows.alerting import alerts_told, send_alerts, send_test

    project = project_of(config, data, workspace)
    if not test:
        sent, told = send_alerts(project), alerts_told(project)
        lines = [one.line() for one in told] or ["no alert was raised so far"]
        document = {**sent.document(), "alerts": [one.document() for one in told]}
        answer(document, [*lines, *sent.lines()], as_json=as_json)
        return
    moment = read_tables(project.workspace.root).data_end
    failed = {name: why for name, why in send_test(project, as_of=moment).items() if why}
    if failed:
        mend = "check the address, the port and the variables that `monitoring.alerts` names"
        raise DataError(
            *(Fault("the test was not taken", name, why, mend) for name, why in failed.items())
        )
    answer({"test": "taken"}, ["the test was taken by every way"], as_json=as_json)
