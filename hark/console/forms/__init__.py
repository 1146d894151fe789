"""Documents as forms: what a form shows of a document, and what its changes make of it.

The document is the truth: a field that was not touched changes nothing, and what no field shows stays.
"""
