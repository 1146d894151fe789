"""The inbox that a customer finds in the product: who asks, what is in it, what they did with it."""
