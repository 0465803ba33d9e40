"""`parkledger audit`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from event_store.seal import Checkpoint

EXAMPLE = "**Example:** `parkledger audit verify --checkpoint kept-in-march.txt`"
FAILED = 1


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    group = typer.Typer(help="Prove that the log is whole and as it was written.", no_args_is_help=True)
    group.command("verify", epilog=EXAMPLE)(verify)
    group.command("proof", epilog="**Example:** `parkledger audit proof 1042 --out proof.json`")(proof)
    group.command("export", epilog="**Example:** `parkledger audit export --tag citation:PV-50001 --whole`")(
        export
    )
    group.command("check", epilog="**Example:** `parkledger audit check pack.json`")(check)
    app.add_typer(group, name="audit", epilog=EXAMPLE)


def verify(
    checkpoint: Annotated[
        list[Path] | None,
        typer.Option(help="A signed head that you kept elsewhere: the log must still continue it."),
    ] = None,
    key: Annotated[str | None, typer.Option(help="The public key that you trust; else the office's.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False,
) -> None:
    """Read the whole log: no gap, every payload as its digest says, every signed head as it was signed."""
    from rich.console import Console

    from event_store.proving import verify_seals
    from event_store.verifying import verify as verify_entries
    from operations.serving import database
    from operations.settings import Settings

    settings = Settings.from_environment()
    with database(settings) as dsn, Console(stderr=True).status("Reading the log") as status:
        entries = verify_entries(dsn)
        further = [_kept(file, key, settings) for file in checkpoint or ()]
        heads = verify_seals(
            dsn, further, lambda at: status.update(f"Checking signed heads, position {at:,}")
        )
    holds = entries.holds and heads.holds
    if as_json:
        said = {
            "holds": holds,
            "entries": entries.count,
            "position": entries.position,
            "reason": entries.reason,
        }
        typer.echo(
            json.dumps({**said, "heads": heads.checked, "head": heads.size, "head_reason": heads.reason})
        )
    else:
        wrong = f"entry {entries.position}: {entries.reason}" if not entries.holds else None
        typer.echo(wrong or f"{entries.count} entries are as they were written, without a gap")
        wrong = f"signed head over {heads.size} entries: {heads.reason}" if not heads.holds else None
        typer.echo(wrong or f"{heads.checked} signed heads hold")
    if not holds:
        raise typer.Exit(FAILED)


def proof(
    position: Annotated[int, typer.Argument(min=1, help="The entry's position.")],
    out: Annotated[Path | None, typer.Option(help="Where to; by default to the screen.")] = None,
) -> None:
    """Print an entry with its proof against the newest signed head; `audit check` and verify.py read it."""
    _write(out, [position], {"position": position}, tags=())


def export(
    tag: Annotated[
        list[str] | None, typer.Option(help="Entries with this tag; repeated, any may be met.")
    ] = None,
    after: Annotated[int, typer.Option(min=0, help="Entries after this position.")] = 0,
    upto: Annotated[int | None, typer.Option(min=1, help="Entries up to this position.")] = None,
    whole: Annotated[
        bool, typer.Option("--whole", help="With all envelopes of the log: proves that none is left out.")
    ] = False,
    out: Annotated[Path, typer.Option(help="The archive: pack.json and verify.py.")] = Path("evidence.zip"),
) -> None:
    """Write an evidence pack: entries, proofs, the signed head, and the verifier that runs alone."""
    from events.boundary import Boundary, Criterion
    from operations.settings import BadSetting

    for one in tag or ():
        if ":" not in one:
            raise BadSetting(f"{one!r} is no tag; one is written name:value, such as citation:PV-50001.")
    if whole and not tag:
        raise BadSetting("--whole proves that no entry with a tag is left out: name a --tag.")
    criteria = frozenset(Criterion(frozenset(), frozenset({one})) for one in tag or ())
    about = {"tags": tag or [], "after": after, "upto": upto}
    boundary: Boundary[Any] | None = Boundary(criteria) if criteria else None
    _write(out, (boundary, after, upto), about, tags=tuple(tag or ()) if whole else ())
    typer.echo(f"{out}: unpack it anywhere, then: python verify.py pack.json")


def check(
    pack: Annotated[Path, typer.Argument(help="The pack.json of an evidence pack, or a proof.")],
    key: Annotated[str | None, typer.Option(help="The public key that the office published.")] = None,
    earlier: Annotated[Path | None, typer.Option(help="A signed head that you kept.")] = None,
) -> None:
    """Check a pack offline, as the verifier inside it does."""
    from event_store.verifier import main

    asked = [str(pack), *(["--key", key] if key else ()), *(["--earlier", str(earlier)] if earlier else ())]
    if status := main(asked):
        raise typer.Exit(status)


def _write(out: Path | None, wanted: Any, about: dict[str, Any], tags: tuple[str, ...]) -> None:
    """Seal what is there, and write the pack of the entries: JSON, or an archive where `out` is one."""
    from contextlib import closing

    from event_store.exporting import archive, pack_bytes, positions_of
    from event_store.postgres import PostgresLog
    from event_store.proving import Proofs
    from event_store.seal import seal
    from operations.sealing_key import signer
    from operations.serving import database
    from operations.settings import BadSetting, Settings

    settings = Settings.from_environment()
    with database(settings) as dsn, closing(PostgresLog(dsn)) as log, closing(Proofs(dsn)) as proofs:
        head = log.head()
        positions = wanted if isinstance(wanted, list) else positions_of(log, *wanted)
        if not positions or positions[-1] > head:
            raise BadSetting(f"There is no such entry; the log ends at position {head}.")
        seal(dsn, signer(settings))
        newest = proofs.covering(head, settings.wait_seconds)
        pack = pack_bytes(proofs, newest, positions, about, [log.codec.tag(one) for one in tags])
    if out is None:
        typer.echo(pack.decode())
    else:
        out.write_bytes(archive(pack) if out.suffix == ".zip" else pack)


def _kept(file: Path, key: str | None, settings: Any) -> "Checkpoint":
    """Return a signed head that was kept in a file.

    Raises:
        BadSetting: if it is none of that key.

    """
    from datetime import UTC, datetime

    from event_store.seal import Checkpoint
    from event_store.signing import BadNote, read_note
    from operations.sealing_key import signer
    from operations.settings import BadSetting

    note = file.read_text(encoding="utf-8")
    public = key or signer(settings).public
    try:
        said = read_note(note, public)
    except BadNote as error:
        raise BadSetting(f"{file}: {error} ({public})") from error
    return Checkpoint(said.size, said.root, datetime.now(UTC), note, public)
