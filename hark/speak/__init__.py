"""We say it: rendering, outbox, channels, links."""
