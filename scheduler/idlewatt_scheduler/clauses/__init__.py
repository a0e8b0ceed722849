"""The clauses: what a vehicle must be for any pod, and for this pod and its stay.

`vehicle` and `pod` hold one function a reason, each true when its clause fails, in the order in
which they are asked. `live` holds those that depend on what else the plan places.
"""
