"""A page of ours in a real browser, opened from a file as its readers do."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class PageView:
    """An open page: what it said and asked for, and how wide it is."""

    view: Any
    said: list[str] = field(default_factory=list)  # On the console, errors, dialogs.
    asked: list[str] = field(default_factory=list)  # Addresses that it requested.

    @property
    def wide(self) -> int:
        """How many pixels it takes; more than the window's would scroll sideways."""
        found: int = self.view.evaluate("document.documentElement.scrollWidth")
        return found


@contextmanager
def opened(browser: Any, path: Path, width: int, scheme: str) -> Iterator[PageView]:
    """Open a page, take a picture of it beside it, and close it."""
    size = {"width": width, "height": 800}
    found = PageView(browser.new_page(viewport=size, color_scheme=scheme))
    found.view.on("console", lambda message: found.said.append(message.text))
    found.view.on("pageerror", lambda error: found.said.append(str(error)))
    found.view.on("dialog", lambda dialog: found.said.append(dialog.message))
    found.view.on("request", lambda request: found.asked.append(request.url))
    found.view.goto(path.as_uri())
    found.view.screenshot(path=path.parent / "page.png", full_page=True)
    yield found
    found.view.close()
