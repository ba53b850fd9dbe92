"""Samples in metres and the optical frame: the synthetic scene; a data set's quirks end here."""
