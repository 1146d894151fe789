"""What a back-test found, as an answer: rates, what its comparison could show, and plain sentences."""
