"""Who acts at a counter: a bearer token, or a session cookie from the login page of this hall."""

from urllib.parse import urlsplit

from fastapi import Request

from edge_agent.accounts import Accounts
from hall_core.errors import Forbidden, LoginNeeded

__all__ = ["Guard"]


class Guard:
    """Knows the staff. `required` is the dependency of every clerk action.

    `cookie` bears the name of the `hall`: a browser keeps one jar for all ports of a machine, and a login at
    one hall, or at the centre, must not end another's.
    """

    def __init__(self, accounts: Accounts, hall: str) -> None:
        self.accounts, self.cookie = accounts, f"qh_staff_{hall}"

    def staff(self, request: Request) -> str | None:
        """The name of the clerk behind a request, or None."""
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer" and token:
            return self.accounts.of_token(token.strip())
        session = request.cookies.get(self.cookie)
        return self.accounts.of_session(session) if session else None

    async def required(self, request: Request) -> str:
        """The clerk's name. Raises LoginNeeded; Forbidden for another site's request on a cookie."""
        name = self.staff(request)
        if name is None:
            raise LoginNeeded
        if "authorization" not in request.headers and request.method not in ("GET", "HEAD"):
            self.same_site(request)
        return name

    @staticmethod
    def same_site(request: Request) -> None:
        """Raises Forbidden when a browser says another site sent this."""
        site = request.headers.get("sec-fetch-site")
        origin = request.headers.get("origin")
        foreign = site not in (None, "same-origin", "none")
        if origin and origin != "null":
            foreign = foreign or urlsplit(origin).netloc != request.headers.get("host")
        if foreign:
            raise Forbidden
