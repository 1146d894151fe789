"""Packs to start from: they find events by their names, and are whole documents under whatever names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hark.definitions.levels import Engagement
from hark.definitions.parse import read
from hark.definitions.starters import PACKS, fit, other_names, plainly, roles, text, usual_events
from hark.definitions.types import Campaign, Segment
from hark.errors import HarkError

SHOP = {"catalog": 14518, "main": 5635, "cart": 2842, "product2": 2172, "product1": 1515, "payment_done": 706}
"""Events of a published demonstration shop, with how often they came."""
THIRTEEN = (
    "Conversation Joined", "Followed", "Became Fan", "Connected", "Comment Written", "Newsletter Signed Up",
    "Subscribed", "Report Requested", "Survey Answered", "Called", "Callback Requested", "Order Completed",
)  # fmt: skip
"""Of the usual meanings; the thirteenth, to speak about it after buying, is an order of two of these."""


def test_a_shop_s_own_names_are_found() -> None:
    """payment_done is a completed order, cart a product added; a choice stands over what was found."""
    found = {one.usual: (one.seen, one.count) for one in roles("shop", SHOP, {})}
    assert found == {
        "Product Viewed": ("product1", 1515),
        "Product Added": ("cart", 2842),
        "Order Completed": ("payment_done", 706),
    }
    chosen = {one.usual: one.name for one in roles("shop", SHOP, {"Product Viewed": "catalog"})}
    assert chosen["Product Viewed"] == "catalog"
    assert 'trigger: {event: "cart"}' in text("shop", roles("shop", SHOP, {}))


@pytest.mark.parametrize(
    ("name", "plain"),
    [("orderCompleted", "order completed"), ("Order_Completed ", "order completed"), ("ORDER-1", "order 1")],
)
def test_names_are_compared_as_words(name: str, plain: str) -> None:
    """Capitals, underscores and camels make no difference."""
    assert plainly(name) == plain


def test_what_was_not_seen_keeps_its_usual_name() -> None:
    """Of nothing seen nothing is made up; one event serves two roles only where nothing else fits."""
    assert all(one.seen is None and one.name == one.usual for one in roles("saas", {}, {}))
    assert fit("game", {"login": 3}) == (2, 1)
    both = roles("meanings", {"subscribed": 5}, {})
    assert [one.usual for one in both if one.seen] == ["Subscribed"]
    with pytest.raises(HarkError, match="speaks of no event"):
        roles("shop", SHOP, {"Project Created": "x"})
    with pytest.raises(HarkError, match="no pack"):
        usual_events("shopp")


NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=12)


@pytest.mark.parametrize("pack", PACKS)
@given(name=NAMES)
def test_every_pack_is_whole_under_any_names(pack: str, name: str) -> None:
    """Whatever an event is called, the documents are taken; campaigns are drafts with control and forecast,
    each with a segment or an event to start it, and one engagement definition says what it is."""
    usual = usual_events(pack)
    wanted = read([("pack.yaml", text(pack, roles(pack, {}, {usual[0]: name})))])
    typed = [one.definition for one in wanted]
    campaigns = [one for one in typed if isinstance(one, Campaign)]
    assert len(campaigns) == (0 if pack == "meanings" else 3)
    assert all(one.paused and one.control_auto and one.expects and one.hypothesis for one in campaigns)
    assert sum(isinstance(one, Engagement) for one in typed) == 1
    assert sum(isinstance(one, Segment) for one in typed) == len(campaigns)


def test_the_thirteen_meanings_have_their_events() -> None:
    """Each meaning's event is in the pack, and every event that a pack speaks of has other names."""
    assert set(THIRTEEN) <= set(usual_events("meanings"))
    assert all(names for names in other_names().values())
