"""Somebody who uses the site as a frontend does: signed in, over its REST API."""

from __future__ import annotations

from typing import Any

import requests

from orchestrator.failures import RunFailedError

TIMEOUT = 40  # seconds; longer than the longest ``Prefer: wait``
NAME = PASSWORD = "demo"


class Visitor:
    """A session of the user demo."""

    def __init__(self, site: str) -> None:
        self.site = site
        self.session = requests.Session()
        self.session.trust_env = False  # a proxy for the internet does not reach this machine

    def sign_in(self) -> None:
        """Sign in at the site's own login page. Raises RunFailedError."""
        page = f"{self.site}/login/"
        self.request("GET", page, expect=200)
        body = {"username": NAME, "password": PASSWORD, **self._csrf("csrfmiddlewaretoken")}
        self.request("POST", page, expect=302, data=body, allow_redirects=False)

    def get(self, path: str) -> Any:
        """Return the JSON at ``path`` below the API. Raises RunFailedError."""
        return self.request("GET", f"{self.site}/tavus/api/{path}", expect=200).json()

    def launch(self, body: dict[str, Any]) -> Any:
        """Launch a conversation and return it as it is answered. Raises RunFailedError."""
        url = f"{self.site}/tavus/api/conversations/"
        headers = self._csrf("X-CSRFToken")
        return self.request("POST", url, expect=202, json=body, headers=headers).json()

    def read_page(self, path: str) -> str:
        """Return the HTML of a page of the site. Raises RunFailedError."""
        return self.request("GET", f"{self.site}{path}", expect=200).text

    def request(self, method: str, url: str, *, expect: int, **options: Any) -> requests.Response:
        """Send a request and return the answer. Raises RunFailedError on another status."""
        try:
            response = self.session.request(method, url, timeout=TIMEOUT, **options)
        except requests.RequestException as error:
            raise RunFailedError(f"{method} {url}: {type(error).__name__}") from error
        if response.status_code != expect:
            detail = response.text[:500]
            raise RunFailedError(
                f"{method} {url} answered {response.status_code}, not {expect}: {detail}"
            )
        return response

    def _csrf(self, name: str) -> dict[str, str]:
        return {name: self.session.cookies["csrftoken"]}
