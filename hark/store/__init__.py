"""Where it all lives: contracts and the embedded engine."""
