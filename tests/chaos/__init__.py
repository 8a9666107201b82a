"""What must hold while processes die, stop and race: real processes, real databases."""
