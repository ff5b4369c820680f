"""Readers of what a table is made from: archives, raw logs, a package's data, anybody's columns."""
