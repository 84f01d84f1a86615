"""The kiosk device's own process. Nothing lives here yet; the arrows are kept from the first day."""
