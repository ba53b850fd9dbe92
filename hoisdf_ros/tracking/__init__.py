"""Hands over time: where each of them is in this frame, by boxes given, followed or found."""
