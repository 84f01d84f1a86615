"""What must be shown with figures: each module prints JSON, with the machine it ran on."""
