"""Reports: what they mean, what they say of a period, and the citations or permits behind each figure."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from event_store.archive_manifest import ArchiveUnavailable, BrokenArchive
from operations.problems import Problem
from projections.reports.basis import basis
from projections.reports.catalogue import NoSuchReport, Report, reports
from projections.reports.curb import curb_events
from projections.reports.exporting import answer_csv, answer_parquet, as_dict
from projections.reports.plan import BadPlan
from projections.reports.questions import BadQuestion, question_of
from projections.reports.reporting import Answer, Reports
from projections.reports.tail import ArchiveBehind
from read_api.answers import AsOf, as_of_log, json_answer, problems
from read_api.asking import Asked as Moment
from read_api.asking import freshness, unusable
from read_api.door import Here, Visit
from read_api.standing import stand

router = APIRouter(tags=["reports"])

MOST = 1000
type Format = Literal["json", "csv", "parquet"]
_ACCEPTED: dict[str, Format] = {"text/csv": "csv", "application/vnd.apache.parquet": "parquet"}
_PARQUET = "application/vnd.apache.parquet"


class Meaning(BaseModel):
    """A report and what its figure means."""

    report: str = Field(examples=["collection_by_value"])
    title: str
    formula: str
    denominator: str
    cohort: str
    unit: str
    by: list[str] = Field(description="What the figure can be parted by.")


class Meanings(BaseModel):
    """Every report that there is."""

    reports: list[Meaning]
    as_of: AsOf


class Figure(BaseModel):
    """One figure. `value` is null where there is nothing to divide by."""

    part: str | None = Field(description="The part of it, `all` where it is not parted.", examples=["all"])
    numerator: float | None
    denominator: float | None
    value: float | None = Field(examples=[0.8125])


class Answered(Meaning):
    """A report's answer, with what it means and the position that it rests on."""

    by: str | None = None  # type: ignore[assignment]
    from_: str | None = Field(None, alias="from")
    to: str | None = None
    timezone: str
    only: dict[str, str]
    empty: bool = Field(description="The period holds nothing that the figure is made of.")
    rows: list[Figure]
    as_of: AsOf


class Behind(BaseModel):
    """The citations or permits behind a figure, the newest first; amounts in minor units."""

    total: int
    rows: list[dict[str, Any]]
    as_of: AsOf


async def reports_here(request: Request) -> Reports:
    """Return the reports of this app.

    Raises:
        Problem: 503, where the app was made without them.

    """
    found: Reports | None = request.app.state.reports
    if found is None:
        raise Problem(503, "Not available", "This process was started without reports.")
    return found


Asked = Annotated[Reports, Depends(reports_here)]


async def answered[A](asked: Reports, work: Callable[[], A]) -> A:
    """Return what a question to the reports finds, asked beside the event loop.

    Raises:
        Problem: 404 for an unknown report, 422 for what cannot be used, 503 while the archive is behind.

    """
    try:
        return await asyncio.wrap_future(asked.calm.submit(work))
    except NoSuchReport as error:
        raise Problem(404, "Not found", str(error)) from error
    except BadQuestion as error:
        raise unusable(error.field, error.problem) from error
    except (ArchiveBehind, BrokenArchive, BadPlan) as error:
        # Where the store of the archive is, is nobody's to know.
        said = str(ArchiveUnavailable.__doc__) if isinstance(error, ArchiveUnavailable) else str(error)
        raise Problem(503, "Not available", said, headers={"Retry-After": "30"}) from error


async def words(
    from_: Annotated[
        str | None,
        Query(alias="from", description="Date of the office, or instant, that the period begins at."),
    ] = None,
    to: Annotated[str | None, Query(description="Date or instant before which the period ends.")] = None,
    known: Annotated[
        str | None,
        Query(description="As the report would have read then: a position, an instant, a date, or `latest`."),
    ] = None,
    by: Annotated[str | None, Query(description="Part the figure, by one of what the report names.")] = None,
    zone: Annotated[str | None, Query(max_length=100)] = None,
    lot: Annotated[str | None, Query(max_length=100)] = None,
    officer: Annotated[str | None, Query(max_length=100)] = None,
    device: Annotated[str | None, Query(max_length=100)] = None,
    type_: Annotated[
        str | None, Query(alias="type", max_length=100, description="Violation code, or permit type.")
    ] = None,
) -> Mapping[str, str | None]:
    """Return what the address says of the question."""
    return {
        "from": from_, "to": to, "known": known, "by": by, "zone": zone, "lot": lot, "officer": officer,
        "device": device, "type": type_,
    }  # fmt: skip


Words = Annotated[Mapping[str, str | None], Depends(words)]
Name = Annotated[
    str, Path(max_length=100, description="The report's name.", examples=["collection_by_value"])
]
Fresh = Annotated[Moment, Depends(freshness)]


def ask(asked: Reports, name: str, said: Mapping[str, str | None], timezone: str) -> Answer:
    """Return the answer to the words of an address."""
    return asked.ask(name, question_of(asked, name, said, timezone))


@router.get(
    "/v1/reports",
    summary="The reports that there are",
    response_model=Meanings,
    responses=problems(401, 403, 422, 503),
)
async def every_report(door: Here, _: Visit, fresh: Fresh) -> Response:
    """Answer every report with its formula, denominator, cohort date and unit."""
    told = [_meaning(one).model_dump(mode="json") for one in reports().values()]
    return json_answer({"reports": told, "as_of": await as_of_log(door.log, await stand(door, fresh))})


@router.get(
    "/v1/reports/{name}",
    summary="A report over a period",
    responses={
        200: {
            "model": Answered,
            "description": "The figures, with formula, denominator, cohort date, unit and position.",
            "content": {
                "text/csv": {"schema": {"type": "string"}},
                _PARQUET: {"schema": {"type": "string", "format": "binary"}},
            },
        },
        **problems(401, 403, 404, 422, 503),
    },
)
async def one_report(
    request: Request,
    door: Here,
    _: Visit,
    asked: Asked,
    name: Name,
    said: Words,
    fresh: Fresh,
    format_: Annotated[Format | None, Query(alias="format", description="Over the header Accept.")] = None,
) -> Response:
    """Answer a report as it stands, or as it would have read at `known`."""
    await stand(door, fresh)
    answer = await answered(asked, lambda: ask(asked, name, said, door.settings.timezone))
    shape = format_ or _ACCEPTED.get(request.headers.get("accept", "").partition(",")[0].strip(), "json")
    if shape == "csv":
        return Response(
            answer_csv(answer), media_type="text/csv; header=present", headers=_download(name, "csv")
        )
    if shape == "parquet":
        return Response(answer_parquet(answer), media_type=_PARQUET, headers=_download(name, "parquet"))
    return json_answer(as_dict(answer))


@router.get(
    "/v1/reports/{name}/basis",
    summary="The citations or permits behind a figure",
    responses={200: {"model": Behind}, **problems(401, 403, 404, 422, 503)},
)
async def behind_it(
    door: Here,
    _: Visit,
    asked: Asked,
    name: Name,
    said: Words,
    fresh: Fresh,
    part: Annotated[str | None, Query(max_length=200, description="One part of the figure.")] = None,
    standing: Annotated[Literal["paid", "unpaid", "voided", "dismissed"] | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 100,
    skip: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> Response:
    """Answer what a figure is made of, so that each can be looked at by itself."""
    await stand(door, fresh)
    rows, total, position = await answered(
        asked,
        lambda: basis(
            asked, name, question_of(asked, name, said, door.settings.timezone),
            part=part, standing=standing, limit=limit, skip=skip,
        )
    )  # fmt: skip
    return json_answer({"total": total, "rows": rows, "as_of": await as_of_log(door.log, position)})


@router.get(
    "/v1/curb-events",
    summary="Events as Curb Data Specification JSON",
    responses={
        200: {
            "description": "Curb Events of CDS 1.1 and `as_of`, oldest first; plates are left out.",
            "content": {"application/json": {"schema": {"type": "object"}}},
        },
        **problems(401, 403, 422, 503),
    },
)
async def curb(
    door: Here,
    _: Visit,
    asked: Asked,
    said: Words,
    fresh: Fresh,
    currency: Annotated[str, Query(pattern="^[A-Z]{3}$", description="ISO 4217 code of amounts.")] = "USD",
    limit: Annotated[int, Query(ge=1, le=10_000)] = 1000,
    skip: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
) -> Response:
    """Answer plate reads, sessions and citations of a period as other systems of a city take them."""
    await stand(door, fresh)
    found, position = await answered(
        asked,
        lambda: curb_events(
            asked,
            question_of(asked, "violations", said, door.settings.timezone),
            currency=currency,
            limit=limit,
            skip=skip,
        ),
    )
    as_of = await as_of_log(door.log, position)
    return json_answer({**found, "as_of": as_of}, {"Log-Position": str(position)})


def _meaning(report: Report) -> Meaning:
    return Meaning(
        report=report.name, title=report.title, formula=report.formula, denominator=report.denominator,
        cohort=report.cohort, unit=report.unit, by=list(report.parts),
    )  # fmt: skip


def _download(name: str, ending: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}.{ending}"'}
