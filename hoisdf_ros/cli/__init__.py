"""The command line, one file a command: the same core without ROS."""
