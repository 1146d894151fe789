"""`hark segment`: who is in a situation, was, or would be."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from hark.app import Workspace
from hark.cli import show
from hark.cli.ask import At, instant_of
from hark.cli.show import HERE, Data, Json
from hark.errors import HarkError
from hark.model import JSON
from hark.questions import ask


def register(app: typer.Typer) -> None:
    app.command()(segment)


def segment(
    name: Annotated[str | None, typer.Argument(help="A segment; may be left out with --where.")] = None,
    at: At = None,
    where: Annotated[
        Path | None,
        typer.Option(help="A file with a condition (or a segment): who would be inside; nothing is saved."),
    ] = None,
    sizes: Annotated[
        Literal["day", "week", "month"] | None, typer.Option(help="Instead: its size, period by period.")
    ] = None,
    overlap: Annotated[str | None, typer.Option(help="Instead: who is in this segment as well.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write all members to a .csv or .parquet file.")] = None,
    campaign: Annotated[
        list[str] | None,
        typer.Option("--for", help="With --out: for this campaign; whom it leaves alone is left out."),
    ] = None,
    controls: Annotated[
        bool, typer.Option("--with-controls", help="With --out: those left alone as well.")
    ] = False,
    data: Data = HERE,
    json: Json = False,
) -> None:
    """Who is in a situation, now or as of a time. NAME with --where: who would come and go by the edit."""
    Workspace(data).settle()
    if name is None and where is None:
        raise HarkError("no segment is named", "hark segment NAME, or --where FILE", "segment.unknown")
    if name and out:
        from hark.workspace import members_table

        table, left_out = members_table(data, name, instant_of(at), campaign or [], controls)
        _export(table, left_out, out, json)
        return
    kind, asked = _question(name, where, sizes, overlap)
    answer: Any = ask(data, {kind: asked if kind == "segment_sizes" else {**asked, "at": instant_of(at)}})
    show.as_json(answer) if json else _SHOWN[kind](answer)


def _question(
    name: str | None, where: Path | None, sizes: str | None, overlap: str | None
) -> tuple[str, dict[str, JSON]]:
    """The kind of the question, and what is asked."""
    if where:
        condition, group = condition_in(where)
        if name:
            return "segment_edit", {"name": name, "where": condition}
        return "segment_preview", {"where": condition, **({"group": group} if group else {})}
    if sizes:
        return "segment_sizes", {"name": name, "period": sizes}
    if overlap:
        return "segment_overlap", {"one": name, "other": overlap}
    return "segment", {"name": name}


def condition_in(path: Path) -> tuple[JSON, str]:
    """The condition that a file holds, alone or as a segment, and of which type of groups it is ("": it is of
    customers). Raises HarkError `condition.file`."""
    from hark.definitions.shapes import Reading
    from hark.definitions.yaml import plain, read

    reading = Reading(str(path))
    try:
        nodes = read(path.read_text(encoding="utf-8"), reading)
    except (OSError, UnicodeDecodeError) as error:
        raise HarkError(f"{path} cannot be read: {error}", "name a YAML file", "condition.file") from None
    if reading.found or len(nodes) != 1:
        problem = str(reading.found[0]) if reading.found else f"{path} holds {len(nodes)} documents"
        raise HarkError(problem, "one condition, for example did: Order Completed", "condition.file")
    found: JSON = plain(nodes[0])
    if not (isinstance(found, dict) and "where" in found):
        return found, ""
    subject = found.get("subject")
    return found["where"], str(subject.get("group", "")) if isinstance(subject, dict) else ""


def _export(table: Any, left_out: Mapping[str, int], out: Path, json: bool) -> None:
    from hark.understand.tabular import write_table

    write_table(table, out)
    if json:
        show.as_json({"file": str(out), "customers": table.num_rows, "left_out": dict(left_out)})
        return
    show.console.print(f"{out}: {table.num_rows:,} members.")
    for why, count in sorted(left_out.items()):
        by = "every campaign (global control)" if why == "global_control" else why
        show.console.print(f"{count:,} more are left alone by {by}; with them: --with-controls", style="dim")


def _show_members(answer: Any) -> None:
    of = f" of {answer['customers']:,}" if "customers" in answer else ""
    group = answer.get("group")
    whom, that = (f"groups of type {group}", "that") if group else ("customers", "who")
    show.console.print(f"{answer['count']:,}{of} {whom}", style="bold")
    show.console.print(f"{that} {answer['sentence']}", style="dim")
    if filling := answer.get("filling"):
        share, told = filling["done"] / max(1, filling["of"]), f"{filling['done']:,} of {filling['of']:,}"
        show.console.print(
            f"Its past is being filled in: {show.bar(share)} {told} have entered or left by it"
        )
    _show_sample("among them", answer["sample"])


def _show_sample(title: str, sample: list[str]) -> None:
    if sample:
        show.console.print(f"\n{title}")
    for one in sample:
        show.console.print(f"  {one}")


def _show_sizes(answer: Any) -> None:
    most = max((one["count"] for one in answer["sizes"]), default=0) or 1
    rows = [(one["period"], f"{one['count']:,}", show.bar(one["count"] / most)) for one in answer["sizes"]]
    show.table(["until the end of ", "members", " "], rows)


def _show_overlap(answer: Any) -> None:
    rows = [
        ("both", answer["both"]),
        ("only the first", answer["only_one"]),
        ("only the second", answer["only_other"]),
    ]
    show.table([" ", "members"], [(name, f"{count:,}") for name, count in rows])
    _show_sample("in both", answer["sample"])


def _show_edit(answer: Any) -> None:
    show.console.print(f"{answer['before']:,} members now, {answer['after']:,} then", style="bold")
    show.console.print(f"those who {answer['sentence']}", style="dim")
    for word, one in (("come", answer["come"]), ("go", answer["go"])):
        _show_sample(f"{one['count']:,} would {word}", one["sample"] or ["-"])


_SHOWN = {
    "segment": _show_members,
    "segment_preview": _show_members,
    "segment_sizes": _show_sizes,
    "segment_overlap": _show_overlap,
    "segment_edit": _show_edit,
}
