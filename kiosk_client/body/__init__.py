"""The device's body: what it senses, what it shows, and how it does what it is told."""
