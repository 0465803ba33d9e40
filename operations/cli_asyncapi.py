"""`parkledger asyncapi`."""

import json

import typer

EXAMPLE = "**Example:** `parkledger asyncapi > topics.json` for whoever subscribes."


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("asyncapi", epilog=EXAMPLE)(asyncapi)


def asyncapi() -> None:
    """Print the AsyncAPI 3 document of all Kafka topics: addresses, headers, keys and payloads."""
    from operations.asyncapi import asyncapi as document
    from operations.settings import Settings

    settings = Settings.from_environment()
    typer.echo(json.dumps(document(settings.topics, settings.kafka_bootstrap), indent=2))
