"""The city's side of kiosks and of the devices of bridge points."""
