"""Media: the port to engines, and the embedded forwarding unit behind it."""
