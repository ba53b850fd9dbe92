"""How exact and how fast: parity with golden arrays, time per stage."""
