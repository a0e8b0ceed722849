"""The planner's process: the operator starts it, and it ends when the operator does."""

from idlewatt_operator.planning.worker import main

main()
