"""Accounts of the team, and the one-time link that makes the first."""
