"""How a type is called outside of Python."""


def kebab(name: str) -> str:
    """``GiveFloor`` → ``give-floor``: a type's name on the wire."""
    return "".join("-" + c.lower() if c.isupper() else c for c in name).lstrip("-")
