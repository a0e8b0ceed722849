"""Frozen values: what the core is given and what it gives back.

Nothing here decides anything. Units are in the names; where a type has none, `units` says it.
"""
