"""We choose whether to speak: step, its reducers, campaigns, assignment, rules."""
