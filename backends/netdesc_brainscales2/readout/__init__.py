"""What is read from the chip: events, voltages, links."""
