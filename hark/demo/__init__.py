"""A simulated shop whose true effect is known, lived through the real server."""
