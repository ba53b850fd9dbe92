"""How the network is executed: one protocol, one definition of the network."""
