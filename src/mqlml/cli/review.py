"""Commands about sales' verdicts: review, and the page on which they are given."""

import secrets
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mqlml.cli.opening import progress, project_of
from mqlml.cli.options import (
    DEFAULT_WORKSPACE,
    Config,
    Data,
    Json,
    SharedConfig,
    WorkspacePath,
)
from mqlml.cli.output import answer, note
from mqlml.errors import Fault, UsageError
from mqlml.serving.roles import Role

if TYPE_CHECKING:
    from mqlml.serving.outside import Outside, Place

_HELP = (
    "Hold what the model finds important against what sales says of the leads."
    " serve, invite, export and import are about giving verdicts."
)
_PORT = 8321

group = typer.Typer(help=_HELP, invoke_without_command=True)

Behind = Annotated[
    str,
    typer.Option("--behind-proxy", help="The address of the reverse proxy, https://leads.firm.com"),
]
Host = Annotated[str, typer.Option("--host", help="Where to listen; default: this machine only.")]
Port = Annotated[int, typer.Option("--port", min=0, max=65535, help="0 takes a free one.")]
Who = Annotated[
    str | None, typer.Option("--who", help="Their id in verdicts, as the CRM has it; default: any.")
]


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    group.callback()(review)
    group.command()(serve)
    group.command()(invite)
    group.command()(export)
    group.command(name="import")(import_)
    app.add_typer(group, name="review")


def review(
    context: typer.Context,
    *,
    config: SharedConfig = None,
    data: Data = None,
    workspace: WorkspacePath = DEFAULT_WORKSPACE,
    start: Annotated[
        str | None, typer.Option("--from", help="First moment of the verdicts; default: all.")
    ] = None,
    end: Annotated[
        str | None,
        typer.Option("--to", help="Verdicts before this moment; default: the end of the data."),
    ] = None,
    drafts: Annotated[
        Path | None,
        typer.Option("--drafts", help="A folder for drafts of criteria that answer findings."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Hold what the model finds important against what sales says of the leads."""
    if context.invoked_subcommand is not None:
        # What stands before the inner command is what it starts from.
        shared = {"config": config, "data": data, "workspace": workspace, "as_json": as_json}
        given = {name: value for name, value in shared.items() if value}
        context.default_map = dict.fromkeys(group_names(), given)
        return
    if config is None:
        mend = "see 'mqlml review --help'"
        raise UsageError(Fault("Missing option '--config' / '-c'", "mqlml review", mend=mend))
    from mqlml.workflows.review import review as run

    project = project_of(config, data, workspace)
    start_at, end_at = project.instant(start, "--from"), project.instant(end, "--to")
    result = run(project, start=start_at, end=end_at, say=progress, drafts_folder=drafts)
    answer(result.document(), result.lines(), as_json=as_json)


def group_names() -> list[str]:
    """Return the names of the commands below `review`."""
    return ["serve", "invite", "export", "import"]


def serve(
    config: Config,
    *,
    data: Data = None,
    workspace: WorkspacePath = DEFAULT_WORKSPACE,
    host: Host = "127.0.0.1",
    port: Port = _PORT,
    behind_proxy: Behind = "",
    as_json: Json = False,
) -> None:
    """Open the page on which sales judges leads, until Ctrl-C."""
    del as_json  # every command takes it; a page has no answer
    from mqlml.workflows.serve import serve as run

    project = project_of(config, data, workspace)
    run(project, _place(host, port, behind_proxy), _outside(), say=note)


def invite(
    name: Annotated[str, typer.Argument(help="The name to sign in with.")],
    config: Config,
    *,
    role: Annotated[Role, typer.Option("--role", help="What they are.")] = Role.REP,
    who: Who = None,
    data: Data = None,
    workspace: WorkspacePath = DEFAULT_WORKSPACE,
    host: Host = "127.0.0.1",
    port: Port = _PORT,
    behind_proxy: Behind = "",
    as_json: Json = False,
) -> None:
    """Invite somebody to the page, or give a new link to who forgot the password."""
    from mqlml.workflows.verdicts import invite_person

    project = project_of(config, data, workspace)
    address = _place(host, port, behind_proxy).address
    result = invite_person(project, name, role, who=who, address=address, outside=_outside())
    answer(result.document(), result.lines(), as_json=as_json)


def export(
    file: Annotated[Path, typer.Argument(help="The CSV file to write.")],
    config: Config,
    *,
    as_list: Annotated[
        bool, typer.Option("--list", help="Today's leads to fill in, instead of the history.")
    ] = False,
    data: Data = None,
    workspace: WorkspacePath = DEFAULT_WORKSPACE,
    as_json: Json = False,
) -> None:
    """Write all verdicts with every change of mind, or today's list to fill in, as CSV."""
    from mqlml.workflows.verdicts import export_verdicts

    project = project_of(config, data, workspace)
    result = export_verdicts(project, file, is_list=as_list, outside=_outside())
    answer(result.document(), result.lines(), as_json=as_json)


def import_(
    file: Annotated[Path, typer.Argument(help="The CSV file with verdicts.")],
    config: Config,
    *,
    who: Annotated[
        str | None, typer.Option("--who", help="Whose verdicts they are, where no column says it.")
    ] = None,
    data: Data = None,
    workspace: WorkspacePath = DEFAULT_WORKSPACE,
    as_json: Json = False,
) -> None:
    """Read verdicts from a CSV file; what is known already changes nothing."""
    from mqlml.workflows.verdicts import import_verdicts

    project = project_of(config, data, workspace)
    result = import_verdicts(project, file, who=who, outside=_outside())
    answer(result.document(), result.lines(), as_json=as_json)


def _place(host: str, port: int, behind_proxy: str) -> "Place":
    from mqlml.serving.outside import Place

    if behind_proxy and not behind_proxy.startswith(("https://", "http://")):
        mend = "give the address people type, such as https://leads.firm.com"
        raise UsageError(Fault("not an address", "--behind-proxy", behind_proxy, mend))
    return Place(host, port, behind_proxy.rstrip("/"))


def _outside() -> "Outside":
    """Return the clock and the chance of this machine: only here they are asked."""
    from mqlml.serving.outside import Outside

    return Outside(lambda: time.time_ns() // 1_000, lambda: secrets.token_urlsafe(32))
