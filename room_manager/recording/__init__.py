"""Recording what a meeting shows and says: a receiver in a process of its own, that decodes nothing."""
