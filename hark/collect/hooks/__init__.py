"""Inbound webhooks: who sent them, and which events they are."""
