"""The pod clauses: what a vehicle must be for this pod and its stay.

`pod` holds one function a reason, each true when its clause fails, in the order in which they are
asked. `live` holds those that depend on what else the plan places. What a vehicle must be for any
pod stands in `availability`.
"""
