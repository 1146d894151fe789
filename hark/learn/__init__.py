"""We find out whether it helped: comparison, checks, report."""
