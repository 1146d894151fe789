"""One module a page: a typed context, what makes it, and the view that shows it."""
