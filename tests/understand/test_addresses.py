"""One form for each address, by the examples of RFC 3986 and by laws."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hark.understand.addresses import canonical, known_as, path_of


@pytest.mark.parametrize(
    "same",
    [
        # RFC 3986, 6.2.2 and 6.2.3: case, percent-encoding of what needs none, default port
        [
            "HTTP://www.EXAMPLE.com/~smith",
            "http://www.example.com/%7Esmith",
            "http://example.com:80/%7esmith/",
        ],
        [
            "https://example.com",
            "https://example.com/",
            "https://example.com:443/",
            "https://example.com/#top",
        ],
        ["https://example.com/a/b", "http://www.example.com/a//b/", "//example.com/a/b/index.html"],
        ["https://example.com/a?p=1&q=2", "https://example.com/a/?q=2&utm_source=mail&p=1&gclid=x#y"],
        ["https://münchen.example/a b", "https://xn--mnchen-3ya.example/a%20b"],
        ["/guides/size", "/guides/size/", "/guides/size?utm_campaign=x", " /guides//size "],
    ],
)
def test_ways_to_write_one_address_are_one(same: list[str]) -> None:
    """However it is written and wherever somebody came from, it is one page."""
    assert len(set(map(canonical, same))) == 1, [canonical(one) for one in same]


@pytest.mark.parametrize(
    "different",
    [
        [
            "https://example.com/a",
            "https://example.com/A",
            "https://example.com/a?p=1",
            "https://example.com/a?p=2",
        ],
        ["https://example.com/", "https://blog.example.com/", "https://example.com:8080/", "/"],
        ["size guide", "Size guide", "/size guide"],
    ],
)
def test_other_pages_stay_others(different: list[str]) -> None:
    """What may be another page is one: other paths, parameters, hosts, ports, names."""
    assert len(set(map(canonical, different))) == len(different)


@given(st.text(max_size=40).map(lambda text: f"https://example.com/{text}") | st.text(max_size=20))
def test_it_is_a_canonical_form(address: str) -> None:
    """No text breaks it, and the form of a form is that form."""
    found = canonical(address)
    assert canonical(f"https://{found}" if address.startswith("https://example.com/") else found) == found


@pytest.mark.parametrize(
    ("told", "names"),
    [
        (
            {"content": "/guides/size", "url": "https://shop.example/guides/size?ref=x"},
            ["shop.example/guides/size"],
        ),
        ({"content": "/guides/size/", "title": "Sizes"}, ["/guides/size"]),
        ({"content": "size-guide", "url": "https://shop.example/a"}, ["shop.example/a", "size-guide"]),
        ({"title": "Sizes"}, ["Sizes"]),
        ({"content": 7, "url": None}, []),
        ([], []),
    ],
)
def test_what_the_text_of_an_event_is_known_by(told: object, names: list[str]) -> None:
    """Its address where one is told, else a path alone; and its name."""
    assert list(known_as(json.dumps(told).encode())) == names


def test_a_path_has_no_site() -> None:
    """What is known by its path alone is known by it on every site."""
    assert path_of("https://shop.example/guides/size/?a=1") == "/guides/size?a=1"
    assert path_of("https://shop.example") == "/"
