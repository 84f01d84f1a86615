"""What crosses between a device and the city; the device imports this package only."""
