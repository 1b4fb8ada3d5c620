"""Cohorts: the summaries of finished runs of `leuko cohort`, with their figures."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from fastapi import APIRouter, Request, Response

from leuko.service.http.context import Context
from leuko.service.http.guard.audited import audited
from leuko.service.http.problems import Problem
from leuko.web.access import Given, Viewer
from leuko.web.cohorts import Run, Runs
from leuko.web.render import page

PATH: Final = "/cohorts"


def router() -> APIRouter:
    """The list of runs below `cohorts` of the table [web] of the settings file, and each of them."""
    found, runs = APIRouter(), Runs()

    @found.get(PATH)
    def listed(request: Request, who: Viewer, given: Given) -> Response:
        folder = _folder(given)
        words = {"runs": runs.within(folder) if folder else (), "folder": folder}
        return page(request, "cohorts.html", words, who=who)

    @found.get(f"{PATH}/{{name}}")
    def one(request: Request, who: Viewer, given: Given, name: str) -> Response:
        run = _run(runs, given, name)
        audited(request, who, person="", what="cohort", access="search", detail={"people": run.people})
        return page(request, "cohort.html", {**runs.words(run), "run": run}, who=who)

    @found.get(f"{PATH}/{{name}}/summary.json")
    def as_json(request: Request, who: Viewer, given: Given, name: str) -> Response:
        from leuko.cohort.summary import summarise  # noqa: PLC0415 (loads Polars)

        run = _run(runs, given, name)
        audited(request, who, person="", what="cohort", access="search", detail={"people": run.people})
        headers = {"Content-Disposition": 'attachment; filename="summary.json"'}
        return Response(summarise(run.folder).json(), media_type="application/json", headers=headers)

    return found


def _folder(given: Context) -> Path | None:
    named = given.settings.part("web").get("cohorts", "")
    return Path(named) if isinstance(named, str) and named else None


def _run(runs: Runs, given: Context, name: str) -> Run:
    folder = _folder(given)
    run = runs.named(folder, name) if folder else None
    if run is None:
        raise Problem(404, "there is no finished run of that name", do="go back to the list of cohorts")
    return run
