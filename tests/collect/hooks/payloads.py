"""What providers send, in the forms that their documentation shows; names, ids and times are ours.

Each payload is cut to what the documentation calls present in every delivery of its kind.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

EMAIL = "ada@example.com"
PHONE = "+447700900123"

# docs.stripe.com/api/events/object and docs.stripe.com/api/checkout/sessions/object
STRIPE_CHECKOUT: dict[str, Any] = {
    "id": "evt_1QsrCT2NivGZCNxWQeneEbJy",
    "object": "event",
    "api_version": "2026-01-28.clover",
    "created": 1772445600,
    "data": {
        "object": {
            "id": "cs_test_a1ZETwrCoc0wk2QGJfY09FWMu9i7lWa1",
            "object": "checkout.session",
            "amount_subtotal": 2050,
            "amount_total": 2050,
            "client_reference_id": "ada",
            "created": 1772445540,
            "currency": "gbp",
            "customer": "cus_RmQ2KmdnpWFXIL",
            "customer_details": {
                "address": {"country": "GB"},
                "email": EMAIL,
                "name": "Ada L",
                "phone": None,
            },
            "customer_email": None,
            "livemode": False,
            "metadata": {},
            "mode": "payment",
            "payment_status": "paid",
            "status": "complete",
        }
    },
    "livemode": False,
    "pending_webhooks": 1,
    "request": {"id": None, "idempotency_key": None},
    "type": "checkout.session.completed",
}

# docs.stripe.com/api/subscriptions/object
STRIPE_SUBSCRIPTION: dict[str, Any] = {
    "id": "evt_1QsrCT2NivGZCNxWSubscrib",
    "object": "event",
    "created": 1772445660,
    "data": {
        "object": {
            "id": "sub_1MowQVLkdIwHu7ixeRlqHVzs",
            "object": "subscription",
            "customer": "cus_RmQ2KmdnpWFXIL",
            "currency": "gbp",
            "items": {
                "object": "list",
                "data": [
                    {
                        "id": "si_Na6dzxczY5fwHx",
                        "price": {
                            "id": "price_1MowQULkdIwHu7ixraBm864M",
                            "currency": "gbp",
                            "lookup_key": "monthly",
                            "recurring": {"interval": "month", "interval_count": 1},
                            "unit_amount": 1000,
                        },
                        "quantity": 1,
                    }
                ],
            },
            "metadata": {},
            "status": "active",
        }
    },
    "type": "customer.subscription.created",
}

# shopify.dev/docs/api/webhooks, topic orders/paid; headers: shopify.dev/docs/apps/build/webhooks
SHOPIFY_HEADERS = {
    "X-Shopify-Topic": "orders/paid",
    "X-Shopify-Shop-Domain": "shop.myshopify.com",
    "X-Shopify-API-Version": "2026-01",
    "X-Shopify-Webhook-Id": "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043",
    "X-Shopify-Event-Id": "98880550-7158-44d4-b7cd-2c97c8a091b5",
    "X-Shopify-Triggered-At": "2026-03-02T10:00:00.123456789Z",
}
SHOPIFY_ORDER: dict[str, Any] = {
    "id": 820982911946154508,
    "admin_graphql_api_id": "gid://shopify/Order/820982911946154508",
    "contact_email": EMAIL,
    "created_at": "2026-03-02T05:00:00-05:00",
    "currency": "USD",
    "customer": {
        "id": 115310627314723954,
        "email": EMAIL,
        "first_name": "Ada",
        "last_name": "L",
        "phone": None,
    },
    "email": EMAIL,
    "financial_status": "paid",
    "line_items": [
        {
            "id": 866550311766439020,
            "product_id": 632910392,
            "sku": "IPOD-8",
            "title": "IPod Nano",
            "price": "199.00",
            "quantity": 1,
        },
    ],
    "name": "#9999",
    "phone": None,
    "processed_at": "2026-03-02T05:00:00-05:00",
    "total_discounts": "20.00",
    "total_price": "398.00",
    "total_tax": "0.00",
}

# www.typeform.com/developers/webhooks/example-payload
TYPEFORM: dict[str, Any] = {
    "event_id": "LtWXD3crgy",
    "event_type": "form_response",
    "form_response": {
        "form_id": "lT4Z3j",
        "token": "a3a12ec67a1365927098a606107fac15",
        "submitted_at": "2026-03-02T10:01:00Z",
        "landed_at": "2026-03-02T10:00:30Z",
        "calculated": {"score": 9},
        "hidden": {"user_id": "ada"},
        "definition": {"id": "lT4Z3j", "title": "What next?", "fields": []},
        "answers": [
            {
                "type": "text",
                "text": "faster search",
                "field": {"id": "DlXFaesGBpoF", "type": "short_text", "ref": "wish"},
            },
            {
                "type": "email",
                "email": EMAIL,
                "field": {"id": "SMEUb7VJz92Q", "type": "email", "ref": "address"},
            },
            {
                "type": "choice",
                "choice": {"label": "Weekly"},
                "field": {"id": "k6TP9oLGgHjl", "type": "multiple_choice", "ref": "often"},
            },
            {
                "type": "choices",
                "choices": {"labels": ["A", "B"]},
                "field": {"id": "PNe8ZKBK8C2Q", "type": "picture_choice", "ref": "which"},
            },
            {
                "type": "number",
                "number": 5,
                "field": {"id": "WOTdC00F8A3h", "type": "rating", "ref": "stars"},
            },
            {
                "type": "boolean",
                "boolean": False,
                "field": {"id": "gFFf3xAkJKsr", "type": "legal", "ref": "again"},
            },
        ],
    },
}

# developer.calendly.com/api-docs, "Webhook payload" of invitee.created
CALENDLY: dict[str, Any] = {
    "event": "invitee.created",
    "created_at": "2026-03-02T10:02:00.000000Z",
    "created_by": "https://api.calendly.com/users/AAAAAAAAAAAAAAAA",
    "payload": {
        "cancel_url": "https://calendly.com/cancellations/AAAAAAAAAAAAAAAA",
        "created_at": "2026-03-02T10:02:00.000000Z",
        "email": EMAIL,
        "event": "https://api.calendly.com/scheduled_events/AAAAAAAAAAAAAAAA",
        "name": "Ada L",
        "new_invitee": None,
        "old_invitee": None,
        "questions_and_answers": [{"answer": "the invoice", "position": 0, "question": "About what?"}],
        "rescheduled": False,
        "scheduled_event": {
            "uri": "https://api.calendly.com/scheduled_events/AAAAAAAAAAAAAAAA",
            "name": "Call me back",
            "start_time": "2026-03-03T09:00:00.000000Z",
            "end_time": "2026-03-03T09:15:00.000000Z",
        },
        "status": "active",
        "text_reminder_number": PHONE,
        "timezone": "Europe/London",
        "tracking": {"utm_campaign": None, "utm_source": None, "utm_content": None},
        "uri": "https://api.calendly.com/scheduled_events/AAAAAAAAAAAAAAAA/invitees/AAAAAAAAAAAAAAAA",
    },
}

# ghost.org/docs/webhooks, event member.added (TryGhost/Ghost, services/webhooks/serialize.js)
GHOST: dict[str, Any] = {
    "event": "member.added",
    "member": {
        "current": {
            "id": "5ddc9063c35e7700383b27e0",
            "uuid": "dd8fa3a5-5a4f-4f6b-8d3f-0c1b5b6a7f10",
            "email": EMAIL,
            "name": "Ada L",
            "created_at": "2026-03-02T10:03:00.000Z",
            "updated_at": "2026-03-02T10:03:00.000Z",
            "status": "free",
            "newsletters": [{"id": "n1", "name": "Weekly", "status": "active"}],
        },
        "previous": {},
    },
}

# wordpress.com/support/webhooks, action comment_post with all its fields
WORDPRESS = urlencode(
    {
        "comment_ID": "17",
        "comment_post_ID": "4",
        "comment_author": "Ada L",
        "comment_author_email": EMAIL,
        "comment_author_url": "",
        "comment_author_IP": "203.0.113.9",
        "comment_date": "2026-03-02 11:04:00",
        "comment_date_gmt": "2026-03-02 10:04:00",
        "comment_content": "Well said & true",
        "comment_karma": "0",
        "comment_approved": "1",
        "comment_agent": "Mozilla/5.0",
        "comment_type": "comment",
        "comment_parent": "0",
        "user_id": "0",
        "hook": "comment_post",
    }
)

# meta.discourse.org/t/configure-webhooks/49045; discourse/discourse, app/jobs/regular/emit_web_hook_event.rb
DISCOURSE_HEADERS = {
    "X-Discourse-Instance": "https://forum.example",
    "X-Discourse-Event-Id": "1",
    "X-Discourse-Event-Type": "post",
    "X-Discourse-Event": "post_created",
}
DISCOURSE_USER: dict[str, Any] = {
    "user": {
        "id": 3,
        "username": "ada",
        "name": "Ada L",
        "email": EMAIL,
        "external_id": "ada",
        "created_at": "2026-03-01T10:00:00.000Z",
    }
}
DISCOURSE_POST: dict[str, Any] = {
    "post": {
        "id": 5,
        "name": "Ada L",
        "username": "ada",
        "created_at": "2026-03-02T10:05:00.000Z",
        "cooked": "<p>I had the same</p>",
        "raw": "I had the same",
        "post_number": 2,
        "post_type": 1,
        "reply_to_post_number": None,
        "topic_id": 11,
        "topic_slug": "a-question",
        "topic_title": "A question",
        "category_id": 4,
        "user_id": 3,
    }
}

# www.twilio.com/docs/voice/twiml#request-parameters and the status callback of a call
TWILIO = urlencode(
    {
        "AccountSid": "ACXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX",
        "ApiVersion": "2010-04-01",
        "CallDuration": "62",
        "CallSid": "CA5f7b1c2e8a1d4e0012c3b4a5d6e7f809",
        "CallStatus": "completed",
        "Called": "+441632960000",
        "Caller": PHONE,
        "Direction": "inbound",
        "From": PHONE,
        "SequenceNumber": "0",
        "Timestamp": "Mon, 02 Mar 2026 10:06:00 +0000",
        "To": "+441632960000",
    }
)

# developer.zendesk.com/api-reference/webhooks/event-types/ticket-events, "Ticket created"
ZENDESK: dict[str, Any] = {
    "account_id": 22129848,
    "detail": {
        "actor_id": "8447388090494",
        "assignee_id": None,
        "brand_id": "8447346621310",
        "created_at": "2026-03-02T10:07:00Z",
        "custom_status": "8447320465790",
        "description": "It does not start",
        "external_id": None,
        "form_id": "8646151517822",
        "group_id": "8447320466430",
        "id": "5158",
        "is_public": True,
        "organization_id": None,
        "priority": "LOW",
        "requester_id": "8447388090494",
        "status": "OPEN",
        "subject": "Cannot log in",
        "submitter_id": "8447388090494",
        "tags": [],
        "type": "TASK",
        "updated_at": "2026-03-02T10:07:00Z",
        "via": {"channel": "web_service"},
    },
    "event": {"meta": {"sequence": {"id": "1", "position": 1, "total": 1}}},
    "id": "cbe4028c-7239-495d-b020-f22348516046",
    "subject": "zen:ticket:5158",
    "time": "2026-03-02T10:07:00.123456789Z",
    "type": "zen:event-type:ticket.created",
    "zendesk_event_version": "2022-11-06",
}
# developer.zendesk.com/api-reference/webhooks/event-types/user-events, "User created"
ZENDESK_USER: dict[str, Any] = {
    "account_id": 22129848,
    "detail": {
        "created_at": "2026-03-01T10:00:00Z",
        "default_group_id": "0",
        "email": EMAIL,
        "external_id": "ada",
        "id": "8447388090494",
        "organization_id": "0",
        "role": "end-user",
        "updated_at": "2026-03-01T10:00:00Z",
    },
    "event": {},
    "id": "1b8e4a7a-0c30-4b4a-9a51-64ab5d4ea3b2",
    "subject": "zen:user:8447388090494",
    "time": "2026-03-01T10:00:00.000000000Z",
    "type": "zen:event-type:user.created",
    "zendesk_event_version": "2022-11-06",
}
