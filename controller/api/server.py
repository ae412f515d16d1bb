"""The API's server: litestar on uvicorn, inside the controller's own event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import contextmanager
from typing import Annotated, Any

import msgspec
import uvicorn
from litestar import Litestar, Response, get, post
from litestar.exceptions import HTTPException
from litestar.openapi import OpenAPIConfig
from litestar.params import JSONBody, PathParameter, QueryParameter
from litestar.response import ServerSentEvent

from ambicast.model.fleet import Fleet
from ambicast.model.identifiers import PopName, ServiceName
from controller.api import rows, views
from controller.choreography.phases import UNSETTLED
from controller.choreography.run import Happened, given
from controller.config import Api as Settings
from controller.loop import Loop
from controller.planning.guards import Refusal, guard_drain
from controller.world.observations import DrainAsked, UndrainAsked

MOST_EVENTS = 1000
Name = Annotated[str, PathParameter()]


class Reason(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why the operator does this; it is shown wherever the effect is."""

    reason: str


class Accepted(msgspec.Struct, frozen=True):
    """The wish is noted; ``/plan`` shows how it is carried out."""

    pop: str
    asked: str


class Fault(msgspec.Struct, frozen=True):
    """One clear error: what, where, what is allowed."""

    error: str
    where: str
    allowed: str


class Api:
    """Reads the loop's view, tells the loop what operators ask."""

    def __init__(self, settings: Settings, fleet: Fleet, loop: Loop) -> None:
        """Nothing listens before :meth:`run`."""
        self._settings = settings
        self._fleet = fleet
        self._loop = loop

    def app(self) -> Litestar:
        """The application."""
        handlers = [*self._reading(), *self._asking(), self._stream()]
        return Litestar(
            route_handlers=handlers,
            openapi_config=OpenAPIConfig(title="Ambicast", version="1"),
            debug=False,
        )

    async def run(self) -> None:
        """Serves until cancelled."""
        config = uvicorn.Config(
            self.app(),
            host=self._settings.host,
            port=self._settings.port,
            log_level="warning",
            access_log=False,
            lifespan="off",
        )
        server = uvicorn.Server(config)
        # The composition root owns the signals.
        server.capture_signals = _nothing  # type: ignore[method-assign]
        try:
            await server.serve()
        finally:
            server.should_exit = True

    def _reading(self) -> list[Any]:
        fleet, loop = self._fleet, self._loop

        @get("/api/v1/status")
        async def status() -> views.Status:
            return views.status(loop.view(), fleet)

        @get("/api/v1/pops")
        async def pops() -> list[rows.PopRow]:
            return views.pops(loop.view(), fleet)

        @get("/api/v1/pops/{name:str}")
        async def pop(name: Name) -> views.PopPage:
            return views.pop(loop.view(), fleet, self._known(name))

        @get("/api/v1/services")
        async def services() -> list[views.ServicePage]:
            return views.services(loop.view(), fleet)

        @get("/api/v1/services/{name:str}")
        async def service(name: Name) -> views.ServicePage:
            if name not in fleet.services:
                raise _refused(404, "no such service", name, ", ".join(sorted(fleet.services)))
            return views.service(loop.view(), fleet, ServiceName(name))

        @get("/api/v1/plan")
        async def plan() -> list[views.PlanRow]:
            return views.plans(loop.view())

        @get("/api/v1/events")
        async def events(
            since: Annotated[float, QueryParameter()] = 0.0,
            most: Annotated[int, QueryParameter(ge=1, le=10_000)] = MOST_EVENTS,
        ) -> list[Happened]:
            return loop.events(since, most)

        return [status, pops, pop, services, service, plan, events]

    def _asking(self) -> list[Any]:
        @post("/api/v1/pops/{name:str}/drain", status_code=202)
        async def drain(name: Name, data: JSONBody[Reason]) -> Response[Accepted | Refusal]:
            pop = self._known(name)
            refusal = self._guarded(pop)
            if refusal is not None:
                return Response(refusal, status_code=409)
            self._loop.tell(DrainAsked(pop, _given_reason(data)))
            return Response(Accepted(pop, "drain"), status_code=202)

        @post("/api/v1/pops/{name:str}/undrain", status_code=202)
        async def undrain(name: Name, data: JSONBody[Reason]) -> Accepted:
            pop = self._known(name)
            self._loop.tell(UndrainAsked(pop, _given_reason(data)))
            return Accepted(pop, "undrain")

        return [drain, undrain]

    def _stream(self) -> Any:
        @get("/api/v1/events/stream")
        async def stream() -> ServerSentEvent:
            return ServerSentEvent(self._follow())

        return stream

    async def _follow(self) -> AsyncIterator[dict[str, str]]:
        queue: asyncio.Queue[Happened] = asyncio.Queue(MOST_EVENTS)

        def put(happened: Happened) -> None:
            # A reader that does not keep up loses its oldest, not the controller's time.
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(happened)

        self._loop.listen(put)
        try:
            while True:
                happened = await queue.get()
                data = msgspec.json.encode(happened).decode()
                yield {"event": happened.kind, "data": data, "id": f"{happened.at:.6f}"}
        finally:
            self._loop.forget(put)

    def _known(self, name: str) -> PopName:
        if name not in self._fleet.pops:
            raise _refused(404, "no such PoP", name, ", ".join(sorted(self._fleet.pops)))
        return PopName(name)

    def _guarded(self, pop: PopName) -> Refusal | None:
        run = self._loop.view().run
        moving = tuple(name for name, each in run.pops.items() if each.phase in UNSETTLED)
        return guard_drain(self._fleet, pop, given(run), moving)


def _given_reason(data: Reason) -> str:
    if not data.reason.strip():
        raise _refused(400, "empty reason", "reason", "a sentence that people will read later")
    return data.reason.strip()


def _refused(code: int, error: str, where: str, allowed: str) -> HTTPException:
    fault = msgspec.to_builtins(Fault(error, where, allowed))
    return HTTPException(
        status_code=code, detail=f"{error}: {where}; allowed: {allowed}", extra=fault
    )


@contextmanager
def _nothing():  # type: ignore[no-untyped-def]  # noqa: ANN202
    yield
