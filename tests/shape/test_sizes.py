"""The sizes our style promises."""

import ast
from pathlib import Path

FUNCTION = ast.FunctionDef | ast.AsyncFunctionDef
PACKAGE = Path(__file__).resolve().parents[2] / "hark"


def functions() -> list[tuple[int, str, bool]]:
    """(lines without the docstring, where, gives a reason for its length) of every function."""
    found = []
    for path in PACKAGE.rglob("*.py"):
        nodes = ast.walk(ast.parse(path.read_text()))
        found += [size(path, node) for node in nodes if isinstance(node, FUNCTION)]
    return sorted(found, reverse=True)


def size(path: Path, node: ast.FunctionDef | ast.AsyncFunctionDef) -> tuple[int, str, bool]:
    text = ast.get_docstring(node) or ""
    first = node.body[0]
    doc = (first.end_lineno or 0) - first.lineno + 1 if text else 0
    lines = (node.end_lineno or 0) - node.lineno - doc
    return lines, f"{path.relative_to(PACKAGE)}:{node.lineno} {node.name}", "Long because" in text


def test_functions_are_small() -> None:
    """Median under 8 lines, nine of ten under 25, none over 40 without a reason in its docstring."""
    found = functions()
    sizes = sorted(lines for lines, _, _ in found)
    median, ninth = sizes[len(sizes) // 2], sizes[int(len(sizes) * 0.9)]
    print(f"\n{len(sizes)} functions, median {median}, 90th percentile {ninth}; worst:")
    print("\n".join(f"  {lines:3} {where}" for lines, where, _ in found[:5]))
    assert median < 8
    assert ninth < 25
    assert not [where for lines, where, reason in found if lines > 40 and not reason]


def test_no_file_is_long() -> None:
    """No file has more than 400 lines."""
    long = [str(path) for path in PACKAGE.rglob("*.py") if path.read_text().count("\n") > 400]
    assert not long
