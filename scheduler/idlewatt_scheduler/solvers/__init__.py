"""The solvers: each puts pods on a board; none decides what the rules are."""
