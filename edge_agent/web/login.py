"""Logging in and out with the form of the login page."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse

from edge_agent.accounts import SESSION_S
from edge_agent.web.security import Guard
from hall_core.errors import LoginNeeded

__all__ = ["login_routes"]


def login_routes(guard: Guard) -> APIRouter:
    """`POST /login` and `POST /logout`."""
    router = APIRouter()

    @router.post("/login", status_code=303)
    async def login(
        request: Request,
        user: Annotated[str, Form(max_length=64)],
        password: Annotated[str, Form(max_length=128)],
        goal: Annotated[str, Form(alias="next", max_length=200)] = "/",
    ) -> RedirectResponse:
        """Begin a session: 303 to `next`, or back to the form. Raises TooManyAttempts."""
        guard.same_site(request)
        place = request.client.host if request.client else "?"
        inside = goal.startswith("/") and not goal.startswith(("//", "/\\"))
        try:
            session = await guard.accounts.login(user, password, place)
        except LoginNeeded:
            return RedirectResponse(f"/login?wrong=1&next={goal if inside else '/'}", 303)
        answer = RedirectResponse(goal if inside else "/", 303)
        answer.set_cookie(
            guard.cookie,
            session,
            max_age=int(SESSION_S),
            httponly=True,
            samesite="lax",
            secure=request.url.scheme == "https",
        )
        return answer

    @router.post("/logout", status_code=303)
    async def logout(request: Request) -> RedirectResponse:
        """End the session."""
        guard.same_site(request)
        guard.accounts.logout(request.cookies.get(guard.cookie, ""))
        answer = RedirectResponse("/login", 303)
        answer.delete_cookie(guard.cookie)
        return answer

    return router
