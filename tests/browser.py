"""A real Chromium, driven over its debugging pipe; only what the page tests need."""

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)
_PATIENCE_S = 600


def chromium_path() -> str | None:
    """Return the Chromium of this machine, None if there is none."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Tab:
    """One page in the browser, and everything it logged or asked the network for."""

    def __init__(self, to_browser: int, from_browser: int) -> None:
        self._to, self._from = to_browser, from_browser
        self._buffer, self._number, self._session = b"", 0, ""
        self.events: list[dict[str, Any]] = []
        target = self._call("Target.createTarget", {"url": "about:blank"})["targetId"]
        found = self._call("Target.attachToTarget", {"targetId": target, "flatten": True})
        self._session = found["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._call(f"{domain}.enable", {})

    def open(self, path: Path | str, *, width: int = 1200, dark: bool = False) -> None:
        """Load a file or address at a window width, light or dark, and wait until it is loaded."""
        self.events.clear()
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
        self._call("Emulation.setDeviceMetricsOverride", size)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._call("Emulation.setEmulatedMedia", {"media": "", "features": [scheme]})
        address = path if isinstance(path, str) else path.resolve().as_uri()
        self._call("Page.navigate", {"url": address})
        self._until(lambda event: event["method"] == "Page.loadEventFired")

    def print_mode(self) -> None:
        """Show the open page as it will be printed."""
        self._call("Emulation.setEmulatedMedia", {"media": "print"})

    def value(self, script: str) -> Any:
        """Return what a script gives in the page."""
        asked = {"expression": script, "returnByValue": True, "awaitPromise": True}
        result = self._call("Runtime.evaluate", asked)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def press(self, key: str) -> None:
        """Press and release a key."""
        for kind in ("keyDown", "keyUp"):
            self._call(
                "Input.dispatchKeyEvent",
                {"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": 9},
            )

    def type(self, text: str) -> None:
        """Type a text, each character as a key of its own; a line break is Enter."""
        for character in text:
            key = {"\n": "Enter"}.get(character, character)
            code = 13 if key == "Enter" else ord(character.upper())
            sent = {"key": key, "text": "\r" if key == "Enter" else character}
            for kind in ("keyDown", "keyUp"):
                asked = {"type": kind, "windowsVirtualKeyCode": code, **sent}
                self._call("Input.dispatchKeyEvent", asked)

    def type_and_wait(self, text: str) -> None:
        """Type a text whose last key leads to another page, and wait until it is loaded."""
        self.events.clear()
        self.type(text)
        self._until(lambda event: event["method"] == "Page.loadEventFired")

    def picture(self, path: Path) -> None:
        """Write the whole page as a PNG."""
        asked = {"format": "png", "captureBeyondViewport": True}
        path.write_bytes(base64.b64decode(self._call("Page.captureScreenshot", asked)["data"]))

    def complaints(self) -> list[str]:
        """Return every console error, warning or exception since the page was opened."""
        kinds = ("Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown")
        return [json.dumps(e["params"]) for e in self.events if e["method"] in kinds]

    def requested(self) -> list[str]:
        """Return every address asked for since the page was opened."""
        sent = [e for e in self.events if e["method"] == "Network.requestWillBeSent"]
        return [event["params"]["request"]["url"] for event in sent]

    def _call(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        self._number += 1
        number = self._number
        message: dict[str, Any] = {"id": number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == number:
                assert "error" not in answer, answer
                return dict(answer["result"])
            if "method" in answer:
                self.events.append(answer)

    def _until(self, holds: Any) -> None:
        while not any(holds(event) for event in self.events):
            answer = self._next()
            if "method" in answer:
                self.events.append(answer)

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._from], [], [], _PATIENCE_S)
            assert ready, "the browser does not answer"
            chunk = os.read(self._from, 1 << 20)
            assert chunk, "the browser has gone"
            self._buffer += chunk
        message, _, self._buffer = self._buffer.partition(b"\0")
        return dict(json.loads(message))


@contextmanager
def tab(profile: Path) -> Iterator[Tab]:
    """Give a tab of a fresh Chromium whose profile lies in `profile`; end it after."""
    path = chromium_path()
    assert path, "no Chromium on this machine"
    # The browser reads its orders from descriptor 3 and writes its answers to 4, so
    # the shell's own copies must lie elsewhere.
    low_from_us, to_browser = os.pipe()
    from_browser, low_to_us = os.pipe()
    from_us, to_us = (fcntl.fcntl(low, fcntl.F_DUPFD, 20) for low in (low_from_us, low_to_us))
    os.close(low_from_us)
    os.close(low_to_us)
    command = ["bash", "-c", f'exec "$0" "$@" 3<&{from_us} 4>&{to_us}', path, *_FLAGS]
    browser = subprocess.Popen(
        [*command, f"--user-data-dir={profile}"],
        pass_fds=(from_us, to_us),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(from_us)
    os.close(to_us)
    try:
        yield Tab(to_browser, from_browser)
    finally:
        os.close(to_browser)
        os.close(from_browser)
        browser.terminate()
        browser.wait(timeout=_PATIENCE_S)
