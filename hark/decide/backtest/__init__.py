"""What a campaign would have done: the same `step` over those who could enter, nobody written to."""
