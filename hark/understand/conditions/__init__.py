"""Conditions: one small file for each kind, each with its sentence, its meaning and its live form."""

from hark.understand.conditions.base import TRAITS, Condition, Leaf, View
from hark.understand.conditions.combine import AllOf, AnyOf, Not
from hark.understand.conditions.did import Did
from hark.understand.conditions.did_not import DidNot
from hark.understand.conditions.group import InGroup
from hark.understand.conditions.trait import HasTrait, known, stated

__all__ = [
    "TRAITS",
    "AllOf",
    "AnyOf",
    "Condition",
    "Did",
    "DidNot",
    "HasTrait",
    "InGroup",
    "Leaf",
    "Not",
    "View",
    "known",
    "stated",
]
