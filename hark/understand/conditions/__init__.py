"""One file for each kind of condition."""
