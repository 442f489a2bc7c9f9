"""A real browser, logged in to a running Airflow, that may say no error and ask no other host."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Page, expect

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
# How long a test waits for what must come, on a machine that is slow and busy. Unit: seconds.
PATIENCE = 150.0
expect.set_options(timeout=PATIENCE * 1000)
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def log_in(browser: Browser, running: Any, user: str) -> BrowserContext:
    context = browser.new_context(
        base_url=running.address, viewport={"width": 1366, "height": 900}, locale="en-GB"
    )
    context.set_default_timeout(PATIENCE * 1000)
    page = context.new_page()
    page.goto("/")
    page.fill("input[name=username]", user)
    page.fill("input[name=password]", running.passwords[user])
    page.click("[type=submit]")
    page.wait_for_url(re.compile(r"^(?!.*login).*$"))
    page.wait_for_load_state("networkidle")
    page.close()
    return context


@contextmanager
def watched_page(context: BrowserContext, address: str) -> Iterator[Page]:
    """A page that fails the test if it says an error or asks another host."""
    page = context.new_page()
    faults: list[str] = []
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    hosts: set[str] = set()
    page.on(
        "request",
        lambda asked: hosts.add(urlsplit(asked.url).netloc) if asked.url.startswith("http") else None,
    )
    yield page
    page.close()
    assert faults == []
    assert hosts <= {urlsplit(address).netloc}


def open_page(page: Page, name: str, day: str = "2020-08-20") -> None:
    page.goto(f"/directive/{name}?day={day}")
    page.wait_for_selector("main[aria-busy=false]")
