"""How the browser is started: which program, with which arguments, from which launcher."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from scout_cli.fetch import groups

BYPASS = "--proxy-bypass-list=<-loopback>"
"""Chromium goes around its proxy for localhost and 127.0.0.1 unless it is told not to."""

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_KEPT_BY_PLAYWRIGHT = (
    ".cache/ms-playwright/chromium-*/chrome-linux*/chrome",
    "Library/Caches/ms-playwright/chromium-*/chrome-mac*/*.app/Contents/MacOS/*",
)
_QUIET = (
    "--disable-background-networking",
    "--disable-breakpad",
    "--disable-client-side-phishing-detection",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-extensions",
    "--disable-sync",
    "--metrics-recording-only",
    "--no-default-browser-check",
    "--no-first-run",
    "--no-pings",
)
_ALONE = (
    "--disable-quic",
    # Both names: it was renamed, and an unknown switch is no error.
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--webrtc-ip-handling-policy=disable_non_proxied_udp",
    # Names are looked up by the proxy; the browser itself finds none.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
)
_BOUND = (
    "--block-new-web-contents",
    # One page with thirty advertisements would be thirty processes. What site isolation keeps
    # apart, one site's cookies from another's scripts, does not exist in a context of one page.
    "--disable-site-isolation-trials",
    "--renderer-process-limit=2",
    "--deny-permission-prompts",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-notifications",
    "--disable-print-preview",
    "--js-flags=--max-old-space-size=256",
    "--mute-audio",
    "--window-size=1280,900",
)


def arguments(proxy: str, *, pictures: bool) -> tuple[str, ...]:
    """Return what Chromium is started with, beside what Playwright always gives it.

    Args:
        proxy: the address of the filtering proxy.
        pictures: whether images are loaded; a text needs none.

    Source: Chromium's `proxy_bypass_rules.cc` for `<-loopback>`, `net/docs/proxy.md` for the rest
    of the implicit rules, `webrtc_ip_handling_policy.h` for WebRTC.
    """
    images = () if pictures else ("--blink-settings=imagesEnabled=false",)
    return (*_QUIET, *_ALONE, *_BOUND, *images, f"--proxy-server={proxy}", BYPASS)


def find(home: Path, named: str = "", names: Sequence[str] = _NAMES) -> Path | None:
    """Return a Chromium or Chrome: the one named, one on the PATH, of macOS, or of Playwright.

    Args:
        home: in which Playwright's folder is looked for.
        named: the setting `browser_path`; with it no other is looked for.
        names: of the program.
    """
    if named:
        path = Path(named).expanduser()
        return path if os.access(path, os.X_OK) and path.is_file() else None
    on_path = (shutil.which(name) for name in names)
    found = next((Path(path) for path in on_path if path), None)
    apps = Path("/Applications") if sys.platform == "darwin" else None
    if found is None and apps:
        known = apps.glob("*Chrom*.app/Contents/MacOS/*Chrom*")
        found = next(iter(sorted(known)), None)
    kept = (path for pattern in _KEPT_BY_PLAYWRIGHT for path in sorted(home.glob(pattern)))
    return found or next(kept, None)


def launcher(folder: Path, browser: Path) -> Path:
    """Write the program that starts `browser` after it noted its process group in `folder`."""
    path = folder / "launch"
    noted, program = shlex.quote(str(folder / groups.GROUP)), shlex.quote(str(browser))
    path.write_text(f'#!/bin/sh\necho $$ >> {noted}\nulimit -c 0\nexec {program} "$@"\n')
    path.chmod(0o700)
    return path
