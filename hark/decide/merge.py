"""Two subjects turn out to be one: the younger's record is joined to the older's."""

from __future__ import annotations

from hark.decide import attention
from hark.decide.holdouts import earlier
from hark.decide.membership import ask
from hark.decide.profile import keep
from hark.decide.reasons import Exit
from hark.decide.record import fresh
from hark.decide.runs import leave
from hark.decide.work import Work
from hark.model import Exposure, FactName, Handover, MergedInto, Record, Run
from hark.understand.conditions.answers import joined


def empty(work: Work, _input: MergedInto) -> None:
    """The younger's record is emptied; it was handed on as it stood before."""
    old = work.record
    work.moved = True
    work.record = fresh(old.subject, old.key, old.first_seen)
    work.record.now, work.record.last_seq = old.now, old.last_seq


def join(work: Work, input: Handover) -> None:
    """The older's record with all that was known of the younger; its own stable key stands.

    Segments of either hold until asked again. Summaries are added where their kind can be; the engine
    sends a `refold` from history for the others.
    """
    work.imported, work.moved, work.arming = input.imported, True, True
    join_records(work, input.record)
    ask(work, work.plan.segments.values())


def join_records(work: Work, younger: Record) -> None:
    """All that the younger's record holds into that of the work; segments are not asked again."""
    _join_profile(work.record, younger)
    _join_summaries(work, younger)
    _join_sends(work.record, younger)
    attention.join(work, younger)
    _join_campaigns(work, younger)


def _join_profile(older: Record, younger: Record) -> None:
    older.first_seen = min(older.first_seen, younger.first_seen)
    older.last_seq = max(older.last_seq, younger.last_seq)
    for name, trait in younger.traits.items():
        keep(older.traits, name, trait)
    older.consents = joined(older.consents, younger.consents)
    for address, since in younger.suppressed.items():
        older.suppressed[address] = min(since, older.suppressed.get(address, since))
    older.barred = younger.barred | older.barred
    for name, since in younger.members.items():
        older.members[name] = min(since, older.members.get(name, since))
    older.changes |= {name: at for name, at in younger.changes.items() if name not in older.changes}


def _join_summaries(work: Work, younger: Record) -> None:
    kept = work.record.summaries
    for key, leaf in work.plan.leaves.items():
        if key in younger.summaries:
            kept[key] = leaf.merge(kept.get(key), younger.summaries[key])


def _join_sends(older: Record, younger: Record) -> None:
    known = {one.message for one in older.sends}
    older.sends += [one for one in younger.sends if one.message not in known]
    older.sends.sort(key=lambda one: (one.wanted_at, one.message))


def _join_campaigns(work: Work, younger: Record) -> None:
    older = work.record
    if not older.global_arm:
        older.global_arm, older.global_period = younger.global_arm, younger.global_period
    for name, arm in younger.programmes.items():
        older.programmes[name] = earlier(older.programmes.get(name), arm)
    for name, goal in younger.goals.items():
        older.goals[name] = max(older.goals.get(name, goal), goal)
    for key, entry in younger.entries.items():
        known = older.entries.get(key)
        if known is None or entry.at > known.at:
            older.entries[key] = entry
    mine, theirs = older.exposures, younger.exposures
    older.runs = sorted(older.runs + younger.runs, key=lambda run: (run.entered_at, run.id))
    older.exposures = []
    for campaign in sorted({one.campaign for one in mine + theirs}):
        _join_exposures(work, _of(mine, campaign), _of(theirs, campaign))
    _end_doubles(work)


def _of(exposures: list[Exposure], campaign: str) -> list[Exposure]:
    return [one for one in exposures if one.campaign == campaign]


def _join_exposures(work: Work, mine: list[Exposure], theirs: list[Exposure]) -> None:
    """One campaign's exposures of both; in different arms the earlier entry counts, and a fact says so."""
    record = work.record
    if mine and theirs and _arm(mine) != _arm(theirs):
        kept, dropped = sorted((mine, theirs), key=lambda ones: (min(one.at for one in ones), ones is theirs))
        _conflict(work, kept, dropped)
        record.exposures += kept
        return
    for one in sorted(mine + theirs, key=lambda one: (one.at, one.run)):
        same = next((old for old in record.exposures if _version(old) == _version(one)), None)
        if same is None:
            record.exposures.append(one)
        else:
            same.entries += one.entries
            same.last_at = max(same.last_at, one.last_at)


def _version(one: Exposure) -> tuple[str, int]:
    return one.campaign, one.version


def _arm(exposures: list[Exposure]) -> str:
    """The arm that a subject's exposures to one campaign stand for: that of the newest version."""
    return max(exposures, key=lambda one: (one.version, one.at)).arm


def _conflict(work: Work, kept: list[Exposure], dropped: list[Exposure]) -> None:
    newest = max(dropped, key=lambda one: (one.version, one.at))
    facts = {
        "campaign": newest.campaign,
        "version": newest.version,
        "kept": _arm(kept),
        "dropped": newest.arm,
        "kept_run": min(kept, key=lambda one: one.at).run,
        "dropped_run": newest.run,
    }
    work.emit(FactName.ARM_CONFLICT, facts)
    for run in _live(work.record, newest.campaign):
        if run.arm != _arm(kept):
            leave(work, run, Exit.ARM_CONFLICT)


def _live(record: Record, campaign: str) -> list[Run]:
    return [run for run in record.runs if run.campaign == campaign and not run.finished]


def _end_doubles(work: Work) -> None:
    """Of two live runs of one campaign under one key the earlier goes on."""
    seen: set[tuple[str, str]] = set()
    for run in work.record.runs:
        if run.finished:
            continue
        if (run.campaign, run.key) in seen:
            leave(work, run, Exit.MERGED)
        seen.add((run.campaign, run.key))
