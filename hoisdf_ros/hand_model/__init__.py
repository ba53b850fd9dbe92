"""The parametric hand: MANO or the packaged stand-in, posed through smplx; poses from joints."""
