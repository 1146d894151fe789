"""Compiled folds over sorted runs. Each says which specification it must equal; a property test holds them."""
