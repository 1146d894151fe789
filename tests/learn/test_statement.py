"""The engagement statement: what stands on it, and that not a letter of it can be changed unseen."""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from hark.clock import instant
from hark.errors import HarkError
from hark.learn.statement import fingerprint, public_key, signed, statement, verified

SECRET = "a secret of this workspace"
ANSWER: dict[str, Any] = {
    "definition": "reader",
    "version": 2,
    "says": "People who make reading a habit",
    "ladder": True,
    "since": instant("2026-01-02T09:00:00Z"),
    "author": "ann",
    "fingerprint": fingerprint({"levels": []}),
    "at": instant("2026-03-01T00:00:00Z"),
    "customers": 59,
    "levels": [
        {"level": None, "customers": 19, "share": 19 / 59, "says": "", "events": []},
        {
            "level": "reading",
            "customers": 40,
            "share": 40 / 59,
            "says": "did Read in the last 14 days",
            "events": [
                {"event": "Read", "grade": "strong", "since": "2026-02-11"},
                {"event": "Email Clicked", "grade": "weak", "since": None},
                {"event": "Called", "grade": "too few", "since": None},
            ],
        },
    ],
    "over_time": [{"at": instant("2026-02-22T00:00:00Z"), "customers": [20, 39]}],
}
PAGE = statement(ANSWER, instant("2026-03-02T10:00:00Z"))


def test_the_page_has_words_counts_and_dates() -> None:
    """Name, version and since when, as of when and when issued, each level with its rule and its count, and
    each week; on one page of 60 lines at most."""
    lines = [" ".join(line.split()) for line in PAGE.splitlines()]
    for expected in (
        "ENGAGEMENT STATEMENT: reader",
        "Definition version 2, in force since 2026-01-02 09:00 UTC, by ann",
        "Counted as of 2026-03-01 00:00 UTC",
        "Issued 2026-03-02 10:00 UTC",
        "Customers 59, our own people left out",
        "reading 40 (67.8%)",
        "Customers who did Read in the last 14 days.",
        "As a sign of staying: Read strong since 2026-02-11; Email Clicked weak; Called not known yet.",
        "below all levels 19 (32.2%)",
        "2026-02-22 20 39",
    ):
        assert expected in lines
    assert len(lines) <= 60


def test_anybody_can_prove_it_with_the_public_key_alone() -> None:
    """The signature is plain Ed25519 over all lines before it, by the key that the workspace names."""
    body, _, line = signed(PAGE, SECRET).rstrip("\n").rpartition("\n")
    _, _, key, signature = line.split()
    assert key == public_key(SECRET) != public_key("another secret")
    Ed25519PublicKey.from_public_bytes(b64decode(key)).verify(b64decode(signature), f"{body}\n".encode())
    assert verified(signed(PAGE, SECRET)).text == PAGE


@given(st.data())
def test_no_letter_can_be_changed(data: st.DataObject) -> None:
    """Whatever letter is replaced by another, the page or its signature is not what was signed."""
    text = signed(PAGE, SECRET)
    place = data.draw(st.integers(0, len(text) - 2))
    other = data.draw(st.characters(codec="ascii", exclude_characters=text[place] + "\r\n"))
    with pytest.raises(HarkError) as error:
        verified(text[:place] + other + text[place + 1 :])
    assert error.value.id in ("statement.changed", "statement.unsigned")


def test_a_page_signed_by_somebody_else_names_their_key() -> None:
    """It is as they signed it; that it is not ours shows by the key."""
    assert verified(signed(PAGE, "another secret")).key != public_key(SECRET)
    with pytest.raises(HarkError, match="no signature"):
        verified(PAGE)
    forged = signed(PAGE, SECRET).replace(public_key(SECRET), b64encode(bytes(32)).decode())
    with pytest.raises(HarkError, match="not as it was signed"):
        verified(forged)
