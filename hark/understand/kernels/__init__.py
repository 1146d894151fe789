"""Compiled folds over sorted runs; each says which specification it must equal."""
