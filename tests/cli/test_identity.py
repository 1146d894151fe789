"""`hark merges` and `hark unmerge` through the command line, with a server running."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hark.app import Workspace
from tests.cast import Server, all_read, hark, serving

pytestmark = pytest.mark.xdist_group("answers")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A served workspace: Ada with a phone and a tablet that were customers of their own, and Bob."""
    folder = tmp_path_factory.mktemp("identity") / "data"
    with serving(folder) as server:
        keys = Workspace(folder).add_source("web")
        for device in ("phone", "tablet"):
            send(server, keys.write_key, "track", anonymousId=device, event="Opened")
        for device in ("phone", "tablet"):
            send(server, keys.write_key, "identify", userId="ada", anonymousId=device)
        send(server, keys.write_key, "track", userId="bob", event="Opened")
        all_read(folder)
        yield folder


def send(server: Server, key: str, kind: str, **body: Any) -> None:
    assert server.post(f"/v1/{kind}", body, key).status_code == 200


def merged(data: Path, *args: str) -> list[Any]:
    found: list[Any] = hark(data, "merges", *args)["merges"]
    return found


def test_merges_tells_whom_why_and_by_which_ids(data: Path) -> None:
    """The tablet was merged into whom the phone made Ada; by identify, from the source web."""
    (one,) = merged(data, "ada")
    assert (one["merge"], one["cause"], one["by"], one["undone"]) == (1, "identify", "web", None)
    assert one["younger"] > one["older"]
    assert one["ids"] == [{"kind": "anonymous", "value": "tablet"}]
    assert merged(data) == merged(data, "tablet") == [one]
    assert merged(data, "bob") == []


def test_what_is_unknown_is_refused_by_name(data: Path) -> None:
    """A customer or a merge that is not there is said so, and nothing changes."""
    before = merged(data)
    assert hark(data, "merges", "nobody", fails=True).endswith("[customer.unknown]")
    assert hark(data, "unmerge", "77", fails=True).endswith("[unmerge.unknown]")
    assert merged(data) == before


def test_unmerge_gives_the_ids_back_and_is_remembered(data: Path) -> None:
    """Done when the command answers: two customers, the note beside the merge; a second time is refused."""
    state = Workspace(data).state()
    assert state.find("tablet") == state.find("ada")
    done = hark(data, "unmerge", "1", "--note", "two people at one desk")
    assert done["undone"]["note"] == "two people at one desk" and done["undone"]["by"]
    assert state.find("tablet") == done["younger"] and state.find("ada") == done["older"]
    assert merged(data) == [done]
    assert hark(data, "unmerge", "1", fails=True).endswith("[unmerge.unknown]")
