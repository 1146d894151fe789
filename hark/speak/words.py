"""What Hark itself says to customers, in their language: on its pages and at the foot of messages."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import TypeAlias

from hark.model import JSON

Words: TypeAlias = Mapping[str, str]

_FOLDER = Path(__file__).parent / "languages"
DEFAULT = "en"
TRAITS = ("locale", "language", "lang")
"""Where a customer's language may stand."""


@cache
def languages() -> tuple[str, ...]:
    """The languages that Hark speaks, by their two letters."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.toml")))


@cache
def words(language: str = DEFAULT) -> Words:
    """All that Hark says, in one of its languages."""
    return {"language": language, **tomllib.loads((_FOLDER / f"{language}.toml").read_text("utf-8"))}


def stated(traits: Mapping[str, JSON]) -> list[str]:
    """The languages that a customer's traits name, by their two letters."""
    return [_short(str(traits[name])) for name in TRAITS if traits.get(name)]


def _short(text: str) -> str:
    return text.strip().lower().replace("_", "-").partition("-")[0]


def language(traits: Mapping[str, JSON], accepted: str = "", among: Iterable[str] = ()) -> str:
    """The customer's language: by a trait, else the first that the browser accepts, else English.

    `accepted` is an Accept-Language header; `among` are the languages to choose from (else Hark's own).
    """
    known = frozenset(among) or frozenset(languages())
    asked = [_short(part.partition(";")[0]) for part in accepted.split(",")]
    return next((one for one in (*stated(traits), *asked) if one in known), DEFAULT)
