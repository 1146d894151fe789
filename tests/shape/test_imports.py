"""The arrows between the folders, read from the imports themselves."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "hark"

BASE = {"model", "facts", "clock", "errors"}
CONDITIONS = {"understand.conditions", "understand.operators", "understand.addresses"}
LANGUAGE = BASE | CONDITIONS | {"definitions"}
CONTRACTS = LANGUAGE | {"store.contracts", "settings"}
STAGES = ["collect", "history", "understand", "decide", "speak", "learn"]

MAY: dict[str, set[str]] = {
    "facts": set(),
    "model": {"facts"},
    "clock": {"model"},
    "errors": set(),
    "without": set(),
    "settings": {"errors"},
    "understand.conditions": BASE | CONDITIONS,
    "understand.operators": BASE,
    "understand.addresses": BASE,
    "definitions": LANGUAGE,
    "store": CONTRACTS | {"store", "history.columns", "decide.record"},
}
for number, stage in enumerate(STAGES):
    MAY[stage] = CONTRACTS | set(STAGES[: number + 1])
# The event table is a format that every engine reads as it is (Delta), so history knows it by name.
MAY["history"] |= {"store.table"}

MAY["collect.serve"] = MAY["collect"] | {"store.log", "store.counts", "store.rejects", "store.retention"}

JOINERS = {
    "app", "cli", "connected", "console", "deciding", "demo", "doctor", "engine", "health", "imports",
    "kernels", "loopback", "questions", "previews", "replay", "restart", "role", "sql", "supervisor",
    "workspace", "__main__",
}  # fmt: skip
WORLD = {
    "socket", "subprocess", "random", "secrets", "smtplib", "time", "urllib", "http", "httpx", "httpcore",
}  # fmt: skip
PURE = {"urllib.parse"}
"""Within those, what only works on texts."""
EDGES = {
    "clock.py", "cli", "engine", "console", "demo", "store", "supervisor.py", "role.py", "app.py",
    "loopback.py", "restart.py", "questions", "imports", "collect/address.py", "collect/http.py",
    "collect/dispatch.py", "collect/serve.py", "collect/queue.py", "collect/proxy.py", "speak/wire.py",
    "speak/smtp.py", "speak/catcher.py",
}  # fmt: skip

# Readiness and metrics are made of one look at the data directory, taken by the store.
for looking in ("watch", "readiness", "metrics", "serve"):
    MAY[f"collect.{looking}"] = MAY.get(f"collect.{looking}", MAY["collect"]) | {
        "store.standing",
        "store.vitals",
    }


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")


def imports(path: Path) -> set[str]:
    """What of ours (without the leading "hark.") and of others the module imports, at any depth."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.module != "__future__":
            found |= (
                {f"{node.module}.{alias.name}" for alias in node.names}
                if node.module == "hark"
                else {node.module}
            )
    return found


def ours(path: Path) -> set[str]:
    return {name.removeprefix("hark.") for name in imports(path) if name.startswith("hark.")}


def longest(name: str, table: dict[str, set[str]]) -> str | None:
    """The most specific entry of the table which covers the module."""
    covering = [key for key in table if name == key or name.startswith(key + ".")]
    return max(covering, key=len) if covering else None


def allowed(imported: str, may: set[str]) -> bool:
    return any(imported == key or imported.startswith(key + ".") for key in may)


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_arrows_point_down_the_loop(path: Path) -> None:
    """A module imports only what the architecture allows its folder to import."""
    name = name_of(path)
    if name == "__init__" or name.split(".")[0] in JOINERS:
        return
    entry = longest(name, MAY)
    assert entry, f"{name} is in no folder that tests/shape knows"
    wrong = {other for other in ours(path) if not allowed(other, MAY[entry])}
    assert not wrong, f"{name} may not import {sorted(wrong)}"


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_the_world_is_touched_only_at_the_edge(path: Path) -> None:
    """Network, processes, the wall clock and chance are imported only by files whose names say so."""
    relative = path.relative_to(PACKAGE)
    if relative.parts[0] in EDGES or str(relative) in EDGES:
        return
    touched = {name.split(".")[0] for name in imports(path) - PURE} & WORLD
    assert not touched, f"{relative} touches the world by {sorted(touched)}"


def test_a_wrong_arrow_would_be_seen() -> None:
    """The check itself refuses an arrow up the loop."""
    assert not allowed("console.views", MAY["decide"])
    assert not allowed("learn.report", MAY["collect"])
    assert allowed("history.reader", MAY["learn"])
