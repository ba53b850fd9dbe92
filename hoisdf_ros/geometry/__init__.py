"""Pure functions of rotations, cameras and meshes; no state, no tensors."""
