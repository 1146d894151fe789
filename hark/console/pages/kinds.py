"""Which page and which answer each kind of question has."""

from __future__ import annotations

from hark.console.pages.asked import QuestionPage
from hark.console.pages.funnel import FunnelPage
from hark.console.pages.lifecycle import LifecyclePage
from hark.console.pages.paths import PathsPage
from hark.console.pages.retention import RetentionPage
from hark.console.pages.sessions import SessionsPage
from hark.console.pages.trend import TrendPage
from hark.understand.funnel import FunnelAnswer
from hark.understand.lifecycle import LifecycleAnswer
from hark.understand.paths import PathsAnswer
from hark.understand.retention import RetentionAnswer
from hark.understand.sessions import SessionsAnswer
from hark.understand.tabular import Tabular
from hark.understand.trend import TrendAnswer

PAGES: dict[str, tuple[type[QuestionPage], type[Tabular]]] = {
    "funnel": (FunnelPage, FunnelAnswer),
    "retention": (RetentionPage, RetentionAnswer),
    "paths": (PathsPage, PathsAnswer),
    "lifecycle": (LifecyclePage, LifecycleAnswer),
    "trend": (TrendPage, TrendAnswer),
    "sessions": (SessionsPage, SessionsAnswer),
}
