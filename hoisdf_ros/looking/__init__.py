"""One hand through the network, from its box to its pose and a wrist in metres."""
