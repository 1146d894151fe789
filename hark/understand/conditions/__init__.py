"""Conditions: one small file for each kind, each with its sentence, its meaning and its live form."""

from hark.understand.conditions.amount import Amount
from hark.understand.conditions.base import ACTIVITY, TRAITS, Condition, Leaf, View
from hark.understand.conditions.change import Change
from hark.understand.conditions.combine import AllOf, AnyOf, AtLevel, AtStage, InSegment, Named, Not
from hark.understand.conditions.consent import HasConsent
from hark.understand.conditions.did import Did
from hark.understand.conditions.did_not import DidNot
from hark.understand.conditions.group import InGroup
from hark.understand.conditions.held import Held
from hark.understand.conditions.pace import Pace
from hark.understand.conditions.reachable import Reachable
from hark.understand.conditions.returned import Returned
from hark.understand.conditions.sequence import InSequence
from hark.understand.conditions.since_last import SinceLast
from hark.understand.conditions.trait import HasTrait, known, stated
from hark.understand.conditions.walk import nodes, replaced
from hark.understand.conditions.window import Window

__all__ = [
    "ACTIVITY",
    "TRAITS",
    "AllOf",
    "Amount",
    "AnyOf",
    "AtLevel",
    "AtStage",
    "Change",
    "Condition",
    "Did",
    "DidNot",
    "HasConsent",
    "HasTrait",
    "Held",
    "InGroup",
    "InSegment",
    "InSequence",
    "Leaf",
    "Named",
    "Not",
    "Pace",
    "Reachable",
    "Returned",
    "SinceLast",
    "View",
    "Window",
    "known",
    "nodes",
    "replaced",
    "stated",
]
