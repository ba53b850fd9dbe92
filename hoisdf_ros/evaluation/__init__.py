"""How far from the truth: pure metrics with units."""
