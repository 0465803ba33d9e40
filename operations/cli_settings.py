"""`parkledger settings`."""

import typer

EXAMPLE = "**Example:** `PARKLEDGER_READ_PORT=8200 parkledger settings`"
SECRET = frozenset({"archive_key", "dsn", "webhook_secret", "kafka_password"})


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("settings", epilog=EXAMPLE)(settings)


def settings() -> None:
    """Print every setting, its value here, and what it is for. Secrets are not shown."""
    from operations.settings import PREFIX, Settings

    values = Settings.from_environment()
    for name, field in Settings.model_fields.items():
        value = getattr(values, name)
        shown = "(set)" if name in SECRET and value else value
        typer.echo(f"{PREFIX}{name.upper()} = {'(not set)' if shown is None else shown}")
        typer.echo(f"    {field.description}")
