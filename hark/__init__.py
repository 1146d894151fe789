"""Hark: a customer engagement system that believes only what it measured.

The folders are the verbs of one loop, in the order in which things happen:

    collect      an event comes in            (HTTP, formats, steps, refusals)
    history      it becomes somebody's story  (identity, timeline, the event table)
    understand   we ask questions             (conditions, segments, funnels, retention)
    definitions  what the team wrote down     (YAML documents, versions, plan and apply)
    decide       we choose whether to speak   (the reducers of step, campaigns, assignment, rules)
    speak        we say it                    (render, outbox, channels, links)
    learn        we find out whether it helped (comparison, checks, report)
    store        where it all lives           (contracts and the embedded engine)
    console      what people see              (Django pages)

`model` holds the nouns, `clock` time, ids and chance, `engine` the loop, `app` the joins.
"""
