"""An event comes in: HTTP, formats, steps, refusals, the log."""
