"""The city's side of kiosks. Nothing lives here yet; the arrows are kept from the first day."""
