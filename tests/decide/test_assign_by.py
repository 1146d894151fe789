"""Arms drawn by a group's key: everybody of one account has one arm, whoever enters first."""

from __future__ import annotations

import pytest

from hark.clock import unit_hash
from hark.definitions.parse import parse
from hark.definitions.problems import DefinitionError
from hark.model import GROUP_TRAITS, FactName
from tests.decide.story import Story, campaign, plan_of

BY_ACCOUNT = campaign(control="50%", assign_by="account")


def entering(key: str, *accounts: str) -> dict[str, object]:
    """The entry of somebody who belongs to these accounts."""
    story = Story(plan_of(BY_ACCOUNT), key=key)
    for account in accounts:
        story.does(GROUP_TRAITS, type="account", id=account, traits={})
    story.does(GROUP_TRAITS, type="team", id="a_team", traits={})
    story.does("Signed Up")
    [found] = story.found(FactName.CAMPAIGN_ENTERED)
    return found


@pytest.mark.parametrize("account", ["acme", "bolt", "core", "dune", "echo"])
def test_everybody_of_one_account_has_its_arm(account: str) -> None:
    """The arm follows from the documented hash of the group's stable key, which the entry records."""
    control = unit_hash("campaign/hello/control", f"g:account:{account}") < 0.5
    entries = [entering(f"u:{number}", account) for number in range(5)]
    assert {one["arm"] for one in entries} == {"control" if control else "treatment"}
    assert {one["assignment_key"] for one in entries} == {f"g:account:{account}"}


def test_of_several_accounts_the_first_in_order_counts_and_of_none_the_customer() -> None:
    """In whatever order they were joined; groups of other types don't count."""
    assert entering("u:1", "bolt", "acme")["assignment_key"] == "g:account:acme"
    assert entering("u:1", "acme", "bolt")["assignment_key"] == "g:account:acme"
    assert entering("u:1")["assignment_key"] == "u:1"


@pytest.mark.parametrize("key", ["programme: p", "exclusive: e", "arm: per_entry"])
def test_what_is_drawn_by_the_customer_does_not_go_with_it(key: str) -> None:
    """A programme, an exclusive group and arms by entry would part those of one account."""
    with pytest.raises(DefinitionError, match="don't go together"):
        parse(BY_ACCOUNT + key + "\n")
