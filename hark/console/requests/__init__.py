"""Calls of the API that must not be carried out twice: by their Idempotency-Key."""
