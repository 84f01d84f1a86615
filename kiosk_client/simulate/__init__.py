"""A crowd of devices without machines: the agent's own core, each with a body that is made up.

For demonstrations and measurements. What is real here: keys, enrolment, lines, beats, outbox, orders. What is
made up: the machine, the residents, and the faults of a script.
"""
