"""Pictures of every page, to be looked at: both languages, 360 and 1440 px wide, light and dark.

    .venv/bin/python -m tests.journeys.screenshots http://localhost:8000 --password PASSWORD --to FOLDER
    .venv/bin/python -m tests.journeys.screenshots http://localhost:8000 --only session --listen LINK --to FOLDER

The server must hold the demo studies; each run leaves one finished session per picture set in the demo study. The set
"session" is a listener's whole session, every step, on a phone and a desktop, in both languages, light.
"""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.journeys.listener_pages import slug, visit
from tests.needs import chromium

WIDTHS = {360: 740, 1440: 900}


@dataclass
class Camera:
    page: Page
    folder: Path
    name: str  # language, width and scheme
    count: int = 0

    def shot(self, title: str) -> None:
        self.page.wait_for_load_state("networkidle")
        self.page.wait_for_timeout(300)
        wide = self.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
        if wide:
            print(f"{self.name} {title}: the page scrolls sideways")
        self.count += 1
        path = self.folder / f"{title}_{self.name}.png"
        self.page.screenshot(path=path, full_page=True)


def researcher_pages(camera: Camera, base: str, password: str, language: str) -> str:
    page = camera.page
    page.goto(f"{base}/accounts/login/")
    camera.shot("r00_login")
    page.fill("[name=username]", "researcher")
    page.fill("[name=password]", password)
    page.locator("main form button.primary").click()
    page.wait_for_url("**/studies/")
    camera.shot("r01_studies")
    links = [link.get_attribute("href") or "" for link in page.locator(".studies h2 a").all()]
    listen = ""
    for number, link in enumerate(links):
        page.goto(base + link)
        camera.shot(f"r02_study{number}")
        if page.locator("#link").count():
            listen = page.input_value("#link")
        page.goto(f"{base}{link}results/")
        camera.shot(f"r03_results{number}")
        page.goto(f"{base}{link}planning/")
        camera.shot(f"r09_planning{number}")
    page.goto(f"{base}/studies/new/")
    camera.shot("r04_study_new")
    page.goto(f"{base}/songs/")
    camera.shot("r05_songs")
    page.goto(f"{base}/songs/new/" if page.locator("a[href='/songs/new/']").count() else f"{base}/songs/add/")
    camera.shot("r06_song_add")
    page.goto(f"{base}/songs/")
    page.locator(".songs h2 a").first.click()
    camera.shot("r07_song")
    page.goto(f"{base}/admin/")
    camera.shot("r08_admin")
    return listen


def listener_pages(camera: Camera, link: str, language: str) -> None:
    """A whole session, every step as it stands and as it is left, numbered in the order in which it is met."""
    seen: list[str] = []

    def look(name: str) -> None:
        if name in seen:  # of several clips to practise with, the first one
            return
        seen.append(name)
        camera.shot(f"l{len(seen):02}_{slug(name)}")

    camera.page.goto(f"{link}?lang={language}")
    visit(camera.page, look)
    camera.page.goto(f"{link}code/")
    look("my code")
    code = camera.page.locator("#personal-code").inner_text().strip()
    camera.page.goto(f"{link}../../me/")
    look("my data")
    for typed, name in (("ABCD", "my data wrong code"), (code, "my data shown")):
        camera.page.fill("[name=code]", typed)
        camera.page.locator("main form button").first.click()
        look(name)


def photograph(browser: Browser, args: argparse.Namespace, language: str, width: int, scheme: str) -> None:
    listen = args.listen
    wanted = ("listener",) if args.only == "session" else ("researcher", "listener")
    for part in wanted:
        context = browser.new_context(
            viewport={"width": width, "height": WIDTHS[width]}, color_scheme=scheme, locale=language, base_url=args.url
        )
        context.add_cookies([{"name": "django_language", "value": language, "url": args.url}])
        camera = Camera(context.new_page(), args.to, f"{language}_{width}_{scheme}")
        if part == "researcher" and args.only != "listener":
            listen = researcher_pages(camera, args.url, args.password, language) or listen
        if part == "listener" and args.only != "researcher" and listen:
            listener_pages(camera, listen, language)
        context.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("--password", default="", help="the researcher's")
    parser.add_argument("--to", type=Path, required=True)
    parser.add_argument("--only", choices=["researcher", "listener", "session"])
    parser.add_argument("--listen", default="", help="the listeners' link, where only their pages are wanted")
    parser.add_argument("--sets", nargs="*", help="such as es_360_light; all eight where none is named")
    args = parser.parse_args()
    args.to.mkdir(parents=True, exist_ok=True)
    options = ["--mute-audio", "--autoplay-policy=no-user-gesture-required"]
    options += ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=options)
        schemes = ("light",) if args.only == "session" else ("light", "dark")
        for language, width, scheme in product(("es", "en"), WIDTHS, schemes):
            if not args.sets or f"{language}_{width}_{scheme}" in args.sets:
                photograph(browser, args, language, width, scheme)


if __name__ == "__main__":
    main()
