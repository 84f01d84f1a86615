"""What the city offers: fetched in its window, checked, switched to at once, and back if it is bad.

``updater`` is the one the agent knows. Everything is kept below ``<state>/updates``: metadata that is
trusted, half loaded files, and of each kind the versions beside each other with a link to the one in use.
"""
