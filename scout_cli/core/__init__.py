"""What a scout is and how it thinks: no I/O, no clock, no environment."""
