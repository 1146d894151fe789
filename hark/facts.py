"""The names of what Hark writes into histories, and of what it hears on others' behalf."""

from __future__ import annotations

from enum import StrEnum


class FactName(StrEnum):
    """The facts Hark writes into a history. Never activity, refused from clients (but see OPEN_FACTS)."""

    CAMPAIGN_ENTERED = "Campaign Entered"
    PROGRAMME_ENTERED = "Programme Entered"
    NOT_ELIGIBLE = "Not Eligible"
    CAMPAIGN_EXITED = "Campaign Exited"
    GOAL_REACHED = "Goal Reached"
    MESSAGE_WANTED = "Message Wanted"
    MESSAGE_DEFERRED = "Message Deferred"
    MESSAGE_SENDING = "Message Sending"
    MESSAGE_WITHHELD = "Message Withheld"
    MESSAGE_SENT = "Message Sent"
    MESSAGE_FAILED = "Message Failed"
    MESSAGE_UNKNOWN = "Message Unknown"
    MESSAGE_DELIVERED = "Message Delivered"
    MESSAGE_BOUNCED = "Message Bounced"
    MESSAGE_COMPLAINED = "Message Complained"
    SEGMENT_ENTERED = "Segment Entered"
    SEGMENT_LEFT = "Segment Left"
    LEVEL_CHANGED = "Level Changed"
    STAGE_CHANGED = "Stage Changed"
    ADDRESS_SUPPRESSED = "Address Suppressed"
    ADDRESS_RELEASED = "Address Released"
    ARM_CONFLICT = "Arm Conflict"
    CAMPAIGN_RESTARTED = "Campaign Restarted"
    CAMPAIGN_MIGRATED = "Campaign Migrated"
    CAMPAIGN_PAUSED = "Campaign Paused"
    CAMPAIGN_RESUMED = "Campaign Resumed"
    SPLIT_ENTERED = "Split Entered"
    TRAITS_UPDATED = "Traits Updated"
    MEMBERS_ADDRESSED = "Members Addressed"


GROUP_TRAITS = "Group Traits"
"""What a member is told of a group: an inactive event in the member's own history, refused from clients."""


GROUP_MESSAGE = "Group Message"
"""What a group's campaign wants to say to a member: an inactive event in the member's own history, refused
from clients; whether it may be said the member's own rules decide."""


CAMPAIGN_TRIGGERED = "Campaign Triggered"
"""A call that starts a campaign with `{api: yes}`: an inactive event in the customer's history, which only
a secret key brings about."""


class ConsentName(StrEnum):
    """What a customer says about being written to. Events, since the customer did them."""

    REQUESTED = "Subscription Requested"
    CONFIRMED = "Subscription Confirmed"
    UNSUBSCRIBED = "Unsubscribed"


class ResponseName(StrEnum):
    """What became of a message at its reader's end, or of a task in the team's hands. Written by Hark alone,
    never activity."""

    SHOWN = "Message Shown"
    OPENED = "Message Opened"
    CLICKED = "Message Clicked"
    DISMISSED = "Message Dismissed"
    REPLIED = "Message Replied"
    TASK_ENDED = "Task Ended"
