"""Where answers go: a table for people, or the API's body as it is."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec
from rich.console import Console, RenderableType


class Output(msgspec.Struct):
    """The options that hold for every command."""

    api: str
    as_json: bool = False

    def body(self, body: Any, table: Callable[[Any], RenderableType]) -> None:
        """Prints an API body."""
        if self.as_json:
            print(json.dumps(body, indent=2))  # noqa: T201
        else:
            Console().print(table(body))

    def say(self, text: str) -> None:
        """Prints progress, for people only."""
        if not self.as_json:
            Console().print(text)
