"""The console in a real browser, against real processes over a database of their own.

`world.py` starts the processes, `console.py` is what a person can do with a page, `driver.mjs` does
it in headless Chromium. A test ends with `console.assert_clean()`: no script error, no broken
policy, no dialog, and nothing asked of anybody but our own server.
"""
