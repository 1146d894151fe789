"""All addresses of the console."""

from __future__ import annotations

from django.urls import path

from hark.console.asking import FIELDS
from hark.console.pages import (
    arms,
    asked,
    campaigns,
    clicks,
    consent,
    customer,
    customers,
    definitions,
    erase,
    errors,
    events,
    home,
    live,
    merges,
    messages,
    preferences,
    questions,
    rejects,
    segments,
    signin,
    social,
    sources,
    stopped,
    why,
)

urlpatterns = [
    path("", home.view, name="home"),
    path("live", live.view, name="live"),
    path("events", events.index, name="events"),
    path("events/<path:name>", events.view, name="event"),
    path("sources", sources.index, name="sources"),
    path("sources/<str:name>", sources.view, name="source"),
    path("rejects", rejects.view, name="rejects"),
    path("customers", customers.search, name="customers"),
    path("customers/<int:subject>", customer.view, name="customer"),
    path("customers/<int:subject>/traits", customer.traits, name="traits"),
    path("customers/<int:subject>/why/<str:campaign>", why.view, name="why"),
    path("customers/<int:subject>/erase", erase.view, name="erase"),
    path("customers/<int:subject>/merges/<int:number>/undo", merges.unmerge, name="unmerge"),
    path("api/v1/customers/<path:id>/arms", arms.view, name="arms"),
    path("api/v1/messages", messages.create, name="messages"),
    path("api/v1/messages/<str:message>", messages.view, name="message"),
    path("segments", segments.index, name="segments"),
    path("segments/<str:name>", segments.view, name="segment"),
    path("segments/<str:name>/sizes", segments.sizes, name="sizes"),
    path("segments/<str:name>/overlap", segments.overlap, name="overlap"),
    path("campaigns", campaigns.index, name="campaigns"),
    path("campaigns/<str:name>", campaigns.view, name="campaign"),
    path("campaigns/<str:name>/start", campaigns.turn, {"on": True}, name="start"),
    path("campaigns/<str:name>/pause", campaigns.turn, {"on": False}, name="pause"),
    *(path(kind, asked.view, {"kind": kind}, name=kind) for kind in FIELDS),
    path("asking/cancel", asked.cancel, name="cancel"),
    path("questions", questions.index, name="questions"),
    path("questions/<str:name>", questions.view, name="question"),
    path("funnel/stopped", stopped.view, name="stopped"),
    path("definitions", definitions.index, name="definitions"),
    path("definitions/new", definitions.new, name="new"),
    path("definitions/<str:kind>/<str:name>", definitions.edit, name="definition"),
    path("saved/<str:kind>/<str:name>/<int:version>", definitions.saved, name="saved"),
    path("sign-in", signin.SignIn.as_view(), name="sign-in"),
    path("sign-out", signin.SignOut.as_view(), name="sign-out"),
    path("welcome/<str:token>", signin.welcome, name="welcome"),
    path("u/<str:token>", consent.unsubscribe, name="unsubscribe"),
    path("c/<str:token>", consent.confirm, name="confirm"),
    path("p/<str:token>", preferences.preferences, name="preferences"),
    path("k/<str:token>", clicks.click, name="click"),
    path("o/<str:token>", clicks.picture, name="picture"),
    path("r/<str:token>", social.report, name="report"),
]

handler400 = errors.bad_request
handler403 = errors.forbidden
handler404 = errors.not_found
handler500 = errors.failed
