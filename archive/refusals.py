"""A page of words where Django answers a wrong method with nothing at all.

Whoever is signed out between a form and its button is sent to sign in, and from there back to the button's address, by
GET: an empty window, if nobody says what happened.
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string


class SayWhatWasRefused:
    """Middleware, after the one that knows who is signed in."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = self.get_response(request)
        silent = answer.status_code == 405 and not answer.streaming and not answer.content
        if silent and request.method == "GET":
            answer.content = render_to_string("405.html", request=request)
        return answer
