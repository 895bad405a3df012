# SPDX-License-Identifier: Apache-2.0
"""The page in real Chromium: starting the browser, and looking at what it shows."""

import json

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

from rampart import Rampart


def chromium():
    options = Options()
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--hide-scrollbars", "--window-size=1280,1400"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))


def find(browser, name, within=None):
    found = (within or browser).find_elements(By.CSS_SELECTOR, f'[data-testid="{name}"]')
    return found[0] if found else None


def wait(condition, what, seconds=20):
    return Rampart.wait_for(condition, seconds, what)


def attribute(browser, name, key):
    # The page may replace an element between finding and reading it.
    return browser.execute_script(
        "return document.querySelector(`[data-testid='${arguments[0]}']`)?.getAttribute(arguments[1])", name, key)


def console_errors(browser, port):
    """Errors of this server's page; the page of the test before may still complain that its server is gone."""
    return [e["message"] for e in browser.get_log("browser") if e["level"] == "SEVERE" and f":{port}/" in e["message"]]


def foreign_requests(browser, port):
    """Requests of this page to anywhere but its own server; empties the log."""
    urls = []
    for entry in browser.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            urls.append(message["params"]["request"]["url"])
    return [u for u in urls if not u.startswith((f"http://127.0.0.1:{port}/", "data:", "about:", "chrome:"))]
