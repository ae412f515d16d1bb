"""Asking the API, with one clear line for everything that can go wrong."""

from __future__ import annotations

from typing import Any

OK, DIFFERS, ERROR = 0, 1, 2
PATIENCE_S = 5.0


class AskingError(Exception):
    """The API could not be asked, or said no; ``code`` is the exit code."""

    def __init__(self, text: str, code: int = ERROR) -> None:
        """``text`` is one line for people."""
        super().__init__(text)
        self.code = code


def get(api: str, path: str, **query: float) -> Any:
    """The body at ``/api/v1/<path>``; raises :class:`AskingError`."""
    import httpx  # noqa: PLC0415 - `validate` and `schema` need no network

    try:
        answer = httpx.get(f"{api}/api/v1/{path}", params=query, timeout=PATIENCE_S)
    except httpx.HTTPError as fault:
        raise _unreachable(api, fault) from None
    return _body(answer.status_code, answer)


def post(api: str, path: str, body: dict[str, str]) -> Any:
    """The answer to a wish; a guard's refusal is an :class:`AskingError` with exit code 1."""
    import httpx  # noqa: PLC0415

    try:
        answer = httpx.post(f"{api}/api/v1/{path}", json=body, timeout=PATIENCE_S)
    except httpx.HTTPError as fault:
        raise _unreachable(api, fault) from None
    return _body(answer.status_code, answer)


def _unreachable(api: str, fault: Exception) -> AskingError:
    return AskingError(f"the controller's API at {api} cannot be reached: {fault}")


def _body(code: int, answer: Any) -> Any:
    try:
        body = answer.json()
    except ValueError:
        text = f"the API answered {code} with something that is not JSON"
        raise AskingError(text) from None
    if code < 300:
        return body
    if code == 409:
        text = f"refused by {body['guard']}: {body['found']}; {body['limit']}"
        raise AskingError(text, DIFFERS)
    raise AskingError(str(body.get("detail", body)))
