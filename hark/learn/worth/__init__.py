"""What a customer is likely to do and to be worth: whether still there, how many purchases, of what value."""
