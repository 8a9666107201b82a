"""The bundled small web behind `scout demo`, and three days in the life of a scout in it."""
