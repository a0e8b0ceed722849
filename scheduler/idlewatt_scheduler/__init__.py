"""The pure core of idlewatt: what may run where, until when, and at what cost.

Nothing in this package touches a network, a file, a clock, a source of randomness or a
logger. Time, seed and limits are arguments; the same arguments give the same plan.
"""
