"""An event becomes somebody's story: identity, timeline, the event table."""
