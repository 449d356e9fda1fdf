"""The images, built once for all tests that run them."""

import pytest

from tests.deploy.boxes import build


@pytest.fixture(scope="session")
def images() -> None:
    build()
