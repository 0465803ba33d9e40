"""`parkledger token`."""

from typing import Annotated

import typer

EXAMPLE = '**Example:** `curl -H "Authorization: Bearer $(parkledger token officer)" …`'


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("token", epilog=EXAMPLE)(token)


def token(
    role: Annotated[str, typer.Argument(help="parker, officer, dispute, auditor, analyst, director, …")],
    subject: Annotated[str | None, typer.Option(help="Who the token is for; by default ROLE-1.")] = None,
    account: Annotated[str | None, typer.Option(help="A parker's account; by default the subject.")] = None,
    hours: Annotated[float, typer.Option(min=0.01, help="How long it is good for.")] = 24.0,
) -> None:
    """Print a development token. Only where no PARKLEDGER_ISSUER is set."""
    from operations.identity import Role
    from operations.keys import mint
    from operations.settings import BadSetting, Settings

    if role not in set(Role):
        raise BadSetting(f"There is no role {role!r}; there are {', '.join(Role)}.")
    typer.echo(mint(Settings.from_environment(), Role(role), subject, account, round(hours * 3600)))
