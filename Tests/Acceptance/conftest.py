# SPDX-License-Identifier: Apache-2.0
import pytest

from page import chromium
from rampart import Rampart


@pytest.fixture
def server(tmp_path):
    """A running server with an empty store."""
    with Rampart(tmp_path) as running:
        yield running


@pytest.fixture(scope="module")
def browser():
    driver = chromium()
    yield driver
    driver.quit()


@pytest.fixture
def stopped_server(tmp_path):
    """A server that the test starts itself."""
    rampart = Rampart(tmp_path)
    yield rampart
    if rampart.process is not None:
        rampart.kill()
