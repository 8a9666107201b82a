"""How scout is installed elsewhere: images, Compose, units, packages, the site."""
