"""Further rules: what the scheduling of pods asks for besides time, energy, machines and company.

A rule comes as data that every solver carries already, and never as a question that a solver would
have to ask of each pod and vehicle. `docs/decisions/0028-further-rules.md` says how one is added.

    rule         what is asked of a rule
    host_ports   ports of the Node itself
    registry     all of the rules together, as the planner asks them
"""
