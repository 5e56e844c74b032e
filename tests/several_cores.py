"""How the tests are shared out when several processes run them (`pytest -n 2`): by file, the longest first.

A file stays whole, for its fixtures. The journeys are two groups, one for each way to install the programs, so that
each installation starts once.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from xdist.scheduler import LoadScopeScheduling

JOURNEYS = "tests/journeys/"
MODE = re.compile(r"\b(everything|split)\b")

LONGEST_FIRST = (
    "journeys everything",
    "tests/contract/test_tenancy.py",
    "tests/contract/test_fuzz.py",
    # Not beside the other journeys: two browsers and five programs would crowd two cores.
    "journeys split",
    "tests/contract/test_roles.py",
    "tests/faults/test_kill_nine.py",
    "tests/accounts/test_user_command.py",
    "tests/accounts/test_organizations.py",
    "tests/accounts/test_key_rotation.py",
    "tests/library/test_personal_data.py",
    "tests/contract/test_row_security.py",
    "tests/library/test_listing.py",
    "tests/faults/test_worker_faults.py",
    "tests/engine/test_accuracy.py",
    "tests/library/test_samples.py",
    "tests/library/test_drawings.py",
    "tests/accounts/test_enumeration.py",
)
"""What takes longer than a quarter of a minute; whatever is not here comes afterwards."""


def group_of(test: str) -> str:
    """The tests that one process runs one after the other: the name of the group that a test belongs to."""
    file, _, name = test.partition("::")
    if not file.startswith(JOURNEYS):
        return file
    mode = MODE.search(name.partition("[")[2])
    return f"journeys {mode[1]}" if mode else file


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the groups that take longest first; without several processes the order stays."""
    if _shared_out(config):
        ranks = {group: rank for rank, group in enumerate(LONGEST_FIRST)}
        items.sort(key=lambda item: ranks.get(group_of(item.nodeid), len(ranks)))


def _shared_out(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput") or bool(config.getoption("numprocesses", None))


class Sharing:
    """The hook of a plugin that may not be there."""

    @pytest.hookimpl
    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: object) -> LoadScopeScheduling:
        from xdist.scheduler import LoadScopeScheduling

        class Groups(LoadScopeScheduling):
            def _split_scope(self, nodeid: str) -> str:
                return group_of(nodeid)

        config.option.loadscopereorder = False  # it would put those with most tests first
        return Groups(config, log)  # type: ignore[arg-type]


def pytest_configure(config: pytest.Config) -> None:
    if config.pluginmanager.hasplugin("xdist"):
        config.pluginmanager.register(Sharing(), "groups of tests")
