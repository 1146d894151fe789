"""The weekly letter to those of the team who chose it."""
