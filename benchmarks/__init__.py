"""Figures, each measured by one file that starts what it needs; see docs/operations.md."""
