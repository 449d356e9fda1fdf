"""The contract tests' shop in one process, for what needs no real processes."""

from tests.contract.conftest import buyer, shop, things, world  # noqa: F401
