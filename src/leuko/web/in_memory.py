"""Forms whose files stay in memory: by itself, the parser would put larger ones on the disk until they are read."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from contextlib import aclosing
from typing import Any, Final

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.datastructures import FormData
from starlette.formparsers import MultiPartException, MultiPartParser

from leuko.service.http.problems import Problem

_ROOM: Final = 1 << 40  # the size of a whole request is limited before it comes here
_PASTE: Final = 8 << 20  # bytes of one field that is no file


class _Parser(MultiPartParser):
    spool_max_size = _ROOM


class _Request(Request):
    async def _get_form(self, **limits: Any) -> FormData:
        """The form, as the base gives it, but for where large files lie."""
        if self._form is None and self.headers.get("content-type", "").startswith("multipart/form-data"):
            async with aclosing(self.stream()) as stream:
                try:
                    self._form = await _Parser(self.headers, stream, max_part_size=_PASTE).parse()
                except MultiPartException as error:
                    raise Problem(400, "the form cannot be read", do="choose the files again") from error
        return await super()._get_form(**limits)


class InMemory(APIRoute):
    """A route whose requests keep what they hold in memory, for the guard and for the page."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, asked with requests of that kind."""
        handler = super().get_route_handler()

        async def asked(request: Request) -> Response:
            ours = _Request(request.scope, request.receive)
            try:
                return await handler(ours)
            finally:
                await ours.close()  # lets go of the files

        return asked
