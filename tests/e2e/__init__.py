"""The installed command against real parts."""
