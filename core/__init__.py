"""Code that every floor uses: plain values, statements, conventions of the REST API, logs.

Imports nothing else of the product.
"""
