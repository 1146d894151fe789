"""How a campaign runs: who may come again, when it ends early, how variants share."""

from __future__ import annotations

from collections.abc import Sequence

from hark.console.forms.blocks import Whole
from hark.console.forms.pointers import Body, put, take, under
from hark.console.forms.widgets import (
    Piece,
    Texts,
    Widget,
    read,
    said,
)
from hark.model import JSON


class Reenter(Piece):
    """Whether a customer may enter again: never, always, or after a time."""

    keys = ("reenter",)

    def widgets(self, body: Body, _at: str) -> Sequence[Widget]:
        value: JSON = body.get("reenter")
        kind = "after" if isinstance(value, dict) else "" if value is None else said(value)
        options = (
            ("never" if kind == "never" else "", "never"),
            ("always", "always"),
            ("after", "after a time"),
        )
        shown = [Widget("/reenter", "Again", kind, "choice", options, covers=("/reenter",))]
        if kind == "after":
            shown.append(
                Widget(
                    "/reenter/after",
                    "After",
                    said(value.get("after")),
                    placeholder="90d",
                    help="from the last entry",
                )
            )
        return shown

    def put(self, body: Body, _at: str, texts: Texts) -> None:
        kind = texts["/reenter"]
        if kind == "after":
            put(body, "/reenter", {"after": texts.get("/reenter/after", "90d")})
        elif kind:
            put(body, "/reenter", kind)
        else:
            take(body, "/reenter")


class Exits(Piece):
    """When a run ends early: at the goal, on leaving a segment."""

    keys = ("exit",)

    def widgets(self, body: Body, _at: str) -> Sequence[Widget]:
        exits = body.get("exit", [])
        if not _simple(exits):
            return (Widget("/exit", "Ends early", said(exits), "code", help="as YAML"),)
        leaves = next((said(one["leaves"]) for one in exits if isinstance(one, dict)), "")
        options = (("", "no"), ("goal", "yes"))
        return (
            Widget(
                "/exit#goal",
                "Ends once the goal is reached",
                "goal" if "goal" in exits else "",
                "choice",
                options,
                covers=("/exit", "/exit/0"),
            ),
            Widget(
                "/exit#leaves",
                "Ends on leaving the segment",
                leaves,
                list="segments",
                covers=("/exit/1", "/exit/0/leaves", "/exit/1/leaves"),
            ),
        )

    def put(self, body: Body, _at: str, texts: Texts) -> None:
        if "/exit" in texts:
            Whole().put(body, "/exit", texts)
            return
        exits: list[JSON] = ["goal"] if texts["/exit#goal"] else []
        exits += [{"leaves": texts["/exit#leaves"]}] if texts["/exit#leaves"] else []
        put(body, "/exit", exits) if exits else take(body, "/exit")


def _simple(exits: JSON) -> bool:
    """At most one goal and one segment."""
    if not isinstance(exits, list):
        return False
    leaves = [one for one in exits if isinstance(one, dict) and one.keys() == {"leaves"}]
    return len(leaves) < 2 and exits.count("goal") < 2 and len(leaves) + exits.count("goal") == len(exits)


class Allocation(Piece):
    """How variants share those who are not left alone: equally, by weights, or as it is learned."""

    keys = ("allocation",)

    def widgets(self, body: Body, _at: str) -> Sequence[Widget]:
        value: JSON = body.get("allocation")
        weights = isinstance(value, dict) and isinstance(value.get("weights"), dict)
        kind = "weights" if weights else said(value)
        options = (
            ("equal" if kind == "equal" else "", "equal"),
            ("weights", "by weights"),
            ("learn", "as it is learned, batch by batch"),
        )
        shown = [Widget("/allocation", "Shares", kind, "choice", options, covers=("/allocation/weights",))]
        if weights:
            names = dict.fromkeys([*(body.get("variants") or {}), *value["weights"]])
            shown += [
                Widget(
                    f"/allocation/weights{under('', name)}",
                    f"Weight of {name}",
                    said(value["weights"].get(name)),
                    placeholder="1",
                )
                for name in names
            ]
        return shown

    def put(self, body: Body, _at: str, texts: Texts) -> None:
        kind = texts["/allocation"]
        if kind == "weights":
            old = body.get("allocation")
            names = dict.fromkeys(
                [*(body.get("variants") or {}), *(old["weights"] if isinstance(old, dict) else {})]
            )
            given = {name: texts.get(f"/allocation/weights{under('', name)}", "1") for name in names}
            put(body, "/allocation", {"weights": {name: read(text) for name, text in given.items() if text}})
        elif kind:
            put(body, "/allocation", kind)
        else:
            take(body, "/allocation")
