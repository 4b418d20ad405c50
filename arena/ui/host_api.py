"""The JSON routes of the host: the door (arena/ui/access.py) lets hosts alone to them, and each route asks again."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from arena.alarms import Alarms
from arena.errors import ArenaError
from arena.login import Login
from arena.role import Role
from arena.session import Session
from arena.ui.access import session_of


class NotTheHost(ArenaError):
    """The request is not the host's. Known to the web alone, hence not in arena/errors.py."""

    def __init__(self) -> None:
        super().__init__("only a host may do this, and this request is not signed in as one")


def host_of(request: Request) -> Session:
    """The session of the host who asks. Raises NotTheHost."""
    session = session_of(request)
    if session is None or Role.HOST not in session.roles:
        raise NotTheHost
    return session


Host = Annotated[Session, Depends(host_of)]


def routes(login: Login, alarms: Alarms) -> APIRouter:
    """What the host's page asks for. Routes that act are posts: a post is taken as JSON from our own pages only."""
    router = APIRouter(prefix="/api/host", dependencies=[Depends(host_of)])

    @router.get("/me")
    def me(host: Host, response: Response) -> dict[str, Any]:
        response.headers["Cache-Control"] = "no-store"
        return {"roles": sorted(host.roles), "name": login.signed_as, "ends_at": host.ends_at.isoformat()}

    @router.get("/alarms")
    def current_alarms(response: Response) -> dict[str, Any]:
        response.headers["Cache-Control"] = "no-store"
        return {
            "alarms": [
                {
                    "what": each.what,
                    "error": each.error,
                    "where": each.where,
                    "n": each.n,
                    "first": each.first.isoformat(),
                    "last": each.last.isoformat(),
                }
                for each in alarms.current()
            ]
        }

    return router
