"""The only room that knows ROS: messages in, the core in the middle, messages out."""
