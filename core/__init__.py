"""What every floor stands on: plain values, statements, the manners of the REST API, logs.

Imports nothing else of the product.
"""
