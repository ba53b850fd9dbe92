"""From what the network says to hands and objects in the camera frame."""
