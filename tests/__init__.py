"""Tests of scout: unit, contract, command line, end to end, security."""
