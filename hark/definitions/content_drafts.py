"""Content documents in draft, from pages that were seen: what can be told is, the rest is the author's."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Protocol
from urllib.parse import unquote, urlsplit

from hark.definitions import yaml
from hark.model import JSON

FEWEST = 10
"""Readers before their stages are proposed as those that an item is for."""
SHARE = 0.25
"""Of the readers of an item, for a stage to be proposed."""
LONGEST_NAME = 50
FORMATS: Mapping[str, str] = {
    "webinar": r"webinars?|live",
    "video": r"videos?|watch|films?|tv",
    "case study": r"case-?stud(y|ies)|customers?|success|stories|story|references?",
    "guide": r"guides?|how-?to|tutorials?|docs?|learn|help|academy",
    "article": r"blog|articles?|news|posts?|magazine|journal|insights?|resources?",
}
"""By format, what a folder of its address is called."""
_NO_TOPIC = re.compile(r"\d+|[a-z]{2}(-[a-z]{2})?|page|tag|category|topics?|p")


class Seen(Protocol):
    """What of a page becomes a draft; `learn.pages.Page` is one."""

    @property
    def url(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def readers(self) -> int: ...
    @property
    def words(self) -> int | None: ...
    @property
    def minutes(self) -> float | None: ...
    @property
    def at_stage(self) -> Mapping[str, int]: ...


def drafts(pages: Sequence[Seen], taken: Container[str]) -> list[str]:
    """For each page a document as YAML, with what was measured as a comment before it; "" where its address
    is not known. `taken`: names that content documents have."""
    ending, used, found = _ending(pages), set[str](), list[str]()
    for page in pages:
        body = _body(page, ending, taken, used) if page.url.startswith(("http://", "https://")) else None
        found.append(f"{_measured(page)}\n{yaml.write([body])}" if body else "")
        if body:
            used.add(body["content"])
    return found


def _body(page: Seen, ending: str, taken: Container[str], used: Container[str]) -> dict[str, JSON]:
    folders = [unquote(one).lower() for one in urlsplit(page.url).path.split("/") if one][:-1]
    body: dict[str, JSON] = {
        "content": _name(page, taken, used),
        "title": page.title.removesuffix(ending).strip() or page.title,
        "url": page.url,
        "format": _format(folders),
    }
    whole = sum(page.at_stage.values())
    stages = [name for name, n in page.at_stage.items() if page.readers >= FEWEST and n >= SHARE * whole]
    topics = [one for one in folders if _format([one], "") == "" and not _NO_TOPIC.fullmatch(one)][-1:]
    body |= {"stage": stages} if stages else {}
    body |= {"topics": [re.sub(r"[\s,_-]+", " ", one).strip()[:60] for one in topics]} if topics else {}
    if page.words:
        return body | {"words": page.words}
    return body | ({"minutes": max(page.minutes, 0.1)} if page.minutes else {})


def _name(page: Seen, taken: Container[str], used: Container[str]) -> str:
    last = [one for one in urlsplit(page.url).path.split("/") if one][-1:] or [page.title]
    plain = re.sub(r"[^a-z0-9]+", "_", re.sub(r"\.\w{2,5}$", "", unquote(last[0]).lower())).strip("_")
    name = (plain if re.match("[a-z]", plain) else f"page_{plain}".rstrip("_"))[:LONGEST_NAME].rstrip("_")
    numbered = (f"{name}_{n}" if n > 1 else name for n in range(1, 10_000))
    return next(one for one in numbered if one not in taken and one not in used)


def _format(folders: Iterable[str], else_: str = "article") -> str:
    """By the folders of its address, the nearest first."""
    for folder in reversed(list(folders)):
        for name, words in FORMATS.items():
            if re.fullmatch(words, folder):
                return name
    return else_


def _ending(pages: Sequence[Seen]) -> str:
    """What most titles end in: the name of the site (" | Shop")."""
    ends = Counter(found[0] for one in pages if (found := re.search(r"\s+[|–—·-]\s+[^|–—·-]+$", one.title)))
    common, often = next(iter(ends.most_common(1)), ("", 0))
    return common if often > 1 and often > len(pages) / 2 else ""


def _measured(page: Seen) -> str:
    who = ", ".join(f"{n:,} at {name}" for name, n in page.at_stage.items())
    long = "" if page.minutes is None else f"; read for {page.minutes:g} minutes"
    return f"# {page.readers:,} readers ({who}){long}" if who else f"# {page.readers:,} readers{long}"
