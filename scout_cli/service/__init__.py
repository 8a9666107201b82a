"""What can be done with scouts: use cases over ports and store, without terminal or HTTP."""
