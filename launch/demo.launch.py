"""The node on a rendered camera, for a look without any hardware.

ros2 launch hoisdf_ros demo.launch.py rviz:=true
"""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare

ARGUMENTS = {
    "namespace": ("hoisdf", "namespace of camera, node and their topics"),
    "seed": ("0", "another seed, another scene"),
    "rviz": ("true", "open RViz"),
    "rviz_frame": ("world", "fixed frame of RViz"),
}


def generate_launch_description() -> LaunchDescription:
    """The node with what its launch file sets, then the camera in the same environment."""
    launch = PathJoinSubstitution([FindPackageShare("hoisdf_ros"), "launch", "hoisdf.launch.py"])
    passed = ("namespace", "rviz", "rviz_frame")
    return LaunchDescription(
        [
            *(
                DeclareLaunchArgument(name, default_value=default, description=description)
                for name, (default, description) in ARGUMENTS.items()
            ),
            # First: it also sets the environment in which images are not lost.
            IncludeLaunchDescription(
                launch,
                launch_arguments=[(name, LaunchConfiguration(name)) for name in passed],
            ),
            Node(
                package="hoisdf_ros",
                executable="demo_camera",
                name="demo_camera",
                namespace=LaunchConfiguration("namespace"),
                parameters=[{"seed": ParameterValue(LaunchConfiguration("seed"), value_type=int)}],
                output="screen",
                emulate_tty=True,
            ),
        ]
    )
