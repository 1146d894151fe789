"""Texts for people in several languages."""

from __future__ import annotations

import re

from hark.definitions.shapes import INVALID, Either, Invalid, Mapped, Prose, Reading, Shape
from hark.definitions.yaml import Node
from hark.model import JSON

LANGUAGE = "[a-z]{2}"


class InLanguages(Shape[dict[str, str]]):
    """A text for people in each of several languages, by their two letters."""

    def read(self, node: Node, reading: Reading) -> dict[str, str] | Invalid:
        if not isinstance(node.value, dict) or not node.value:
            return reading.expected(node, "a text for each language", "en: ..., de: ...")
        for language in node.value:
            if not re.fullmatch(LANGUAGE, language):
                return reading.refuse(node, f'"{language}" is no language', "two small letters: en, de, fr")
        read = {language: Prose().read(child, reading) for language, child in node.value.items()}
        texts = {language: text for language, text in read.items() if not isinstance(text, Invalid)}
        return texts if len(texts) == len(read) else INVALID

    def schema(self) -> JSON:
        return {"type": "object", "minProperties": 1, "propertyNames": {"pattern": f"^{LANGUAGE}$"},
                "additionalProperties": Prose().schema()}  # fmt: skip


IN_LANGUAGES: Shape[dict[str, str]] = Either(Mapped(Prose(), lambda text, _n, _r: {"": text}), InLanguages())
"""A text, or one for each language."""
