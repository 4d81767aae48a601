"""What goes wrong, as RFC 9457 has it: one form of answer for every mistake, and its description."""

from http import HTTPStatus
from typing import Any, cast

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from search.errors import KindredError, OptionError
from search.web.guarding import HEADERS, MEDIA_TYPE, problem

__all__ = ["ANY_PROBLEM", "INDEX_PROBLEMS", "tell_problems"]

_EXAMPLES = {
    400: ("What is asked for cannot be done.", "No label 'happy'; this encoder knows negative, neutral, positive."),
    401: ("A token is asked for.", "Send the header 'Authorization: Bearer TOKEN'."),
    403: ("Another site's page asks.", "Requests of other sites' pages are not answered."),
    404: ("There is no such index or row.", "No index 'hostels'; there are hotels."),
    409: ("The index cannot be used as it is.", "indexes/hotels is no index. Make one with: kindred index"),
    413: ("The body is too large.", "The body is larger than 4,194,304 bytes."),
    421: ("The server does not go by that name.", "This server does not go by that name."),
    422: ("A parameter is missing or out of range.", "k: Input should be greater than or equal to 1"),
    500: ("Something is wrong in the server.", "Something is wrong in the server; its log says what."),
    503: ("It took too long.", "No answer within 30 seconds; ask for less, or again later."),
}


def _described(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return answers as OpenAPI describes them."""
    told: dict[int | str, dict[str, Any]] = {}
    for status in statuses:
        description, detail = _EXAMPLES[status]
        content = {"schema": {"$ref": "#/components/schemas/Problem"}, "example": _value(status, detail)}
        told[status] = {"description": description, "content": {MEDIA_TYPE: content}}
    return told


def _value(status: int, detail: str) -> dict[str, Any]:
    return {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}


ANY_PROBLEM = _described(401, 403, 413, 421, 422, 500, 503)
"""What may go wrong with every question."""

INDEX_PROBLEMS = _described(400, 404, 409)
"""What may go wrong, beside that, with a question of an index."""


def tell_problems(app: FastAPI) -> None:
    """Answer every mistake with a problem."""
    app.add_exception_handler(KindredError, _told)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _broken)


async def _told(_: Request, error: Exception) -> JSONResponse:
    """Answer with what a user can put right, or with what is wrong with the index."""
    return problem(400 if isinstance(error, OptionError) else 409, str(error))


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    errors = cast("RequestValidationError", error).errors()
    told = "; ".join(f"{'.'.join(map(str, one['loc'][1:]))}: {one['msg']}" for one in errors)
    return problem(422, told)


async def _http(_: Request, error: Exception) -> JSONResponse:
    told = cast("HTTPException", error)
    answer = problem(told.status_code, str(told.detail))
    answer.headers.update(told.headers or {})
    return answer


async def _broken(_: Request, __: Exception) -> JSONResponse:
    """Say nothing of what only the log should know; this answer passes no middleware, so it gets its headers here."""
    answer = problem(500, _EXAMPLES[500][1])
    answer.headers.update(HEADERS)
    return answer
