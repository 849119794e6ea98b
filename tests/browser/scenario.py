"""Runs one scenario in a browser of its own: `python check_….py NAME`.

From the environment: PARCOURSE_LAB, the address that the server has said; PARCOURSE_CHROMIUM, the browser; PARCOURSE_PICTURES, a folder
for pictures of the page.
"""

import os
import sys
import traceback
from pathlib import Path

from lab import Lab
from playwright.sync_api import sync_playwright

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def main(*scenarios):
    """Runs the one named on the command line; the process fails when it does, or when the page has reported an error."""
    [name] = sys.argv[1:]
    [scenario] = [scenario for scenario in scenarios if scenario.__name__ == name]
    pictures = Path(os.environ["PARCOURSE_PICTURES"])
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=os.environ["PARCOURSE_CHROMIUM"], args=FLAGS)
        # Tall: what a learner scrolls through shall be on one picture.
        page = browser.new_page(viewport={"width": 1200, "height": 1600})
        complaints = []
        page.on("console", lambda message: message.type == "error" and complaints.append(f"{message.text} ({message.location['url']})"))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        lab = Lab(page, os.environ["PARCOURSE_LAB"], name, pictures)
        try:
            scenario(lab)
            assert not complaints, "errors in the browser's console:\n" + "\n".join(complaints)
            lab.picture("end")
        except Exception:
            lab.picture("failed")
            traceback.print_exc()
            print("in the browser's console:", *complaints, sep="\n", file=sys.stderr)
            sys.exit(1)
        finally:
            lab.close()
            browser.close()
