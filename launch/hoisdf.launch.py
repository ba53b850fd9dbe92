"""The node that sees hands and the objects they hold, on the topics of any RGB-D camera.

ros2 launch hoisdf_ros hoisdf.launch.py image_topic:=/camera/color/image_raw ...
"""

from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction, SetEnvironmentVariable
from launch.conditions import IfCondition
from launch.substitutions import (
    EnvironmentVariable,
    LaunchConfiguration,
    PathJoinSubstitution,
)
from launch_ros.actions import LifecycleNode, Node
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare

SHARE = FindPackageShare("hoisdf_ros")
PROFILE = PathJoinSubstitution([SHARE, "config", "fastdds_shm.xml"])

ARGUMENTS = {
    "namespace": ("hoisdf", "namespace of the node and its topics"),
    "params_file": (
        PathJoinSubstitution([SHARE, "config", "hoisdf.yaml"]),
        "parameters; a copy of config/hoisdf.yaml with your values",
    ),
    "image_topic": ("image", "rectified colour image"),
    "camera_info_topic": ("camera_info", "calibration of that image"),
    "depth_topic": ("depth", "depth registered to that image"),
    "detections_topic": ("detections", "boxes from outside, if any: vision_msgs/Detection2DArray"),
    "weights": ("", "checkpoint file; empty: as params_file says"),
    "object_id": ("", "the object being held; empty: as params_file says"),
    "use_sim_time": ("false", "take the time from /clock, for ros2 bag play --clock"),
    "autostart": ("", "false: wait for a manager of life cycles; empty: as params_file says"),
    "rviz": ("false", "open RViz"),
    "rviz_frame": ("world", "fixed frame of RViz, for example camera_color_optical_frame"),
}

# Kept when they are set already.
ENVIRONMENT = {
    "FASTRTPS_DEFAULT_PROFILES_FILE": PROFILE,  # or half of the images are lost, see the file
    "FASTDDS_DEFAULT_PROFILES_FILE": PROFILE,  # its name from Kilted on
    "OMP_WAIT_POLICY": "PASSIVE",  # idle torch threads sleep
}


def node(context: LaunchContext) -> list[LifecycleNode]:
    """The node; a parameter that was not given as an argument is left to the file."""
    types = {"weights": str, "object_id": str, "autostart": bool, "use_sim_time": bool}
    values = {name: LaunchConfiguration(name) for name in types}
    given = {
        name: ParameterValue(value, value_type=types[name])
        for name, value in values.items()
        if value.perform(context)
    }
    topics = ("image", "camera_info", "depth", "detections")
    return [
        LifecycleNode(
            package="hoisdf_ros",
            executable="hoisdf_node",
            name="hoisdf_node",
            namespace=LaunchConfiguration("namespace"),
            parameters=[LaunchConfiguration("params_file"), given],
            remappings=[(topic, LaunchConfiguration(f"{topic}_topic")) for topic in topics],
            output="screen",
            emulate_tty=True,
        )
    ]


def rviz() -> Node:
    """RViz on this namespace's topics; the configuration names those of /hoisdf."""
    topics = ("debug_image", "markers")
    return Node(
        package="rviz2",
        executable="rviz2",
        name="rviz",
        arguments=[
            *("-d", PathJoinSubstitution([SHARE, "config", "hoisdf.rviz"])),
            *("-f", LaunchConfiguration("rviz_frame")),
        ],
        remappings=[
            (f"/hoisdf/{topic}", ["/", LaunchConfiguration("namespace"), f"/{topic}"])
            for topic in topics
        ],
        parameters=[
            {"use_sim_time": ParameterValue(LaunchConfiguration("use_sim_time"), value_type=bool)}
        ],
        condition=IfCondition(LaunchConfiguration("rviz")),
    )


def generate_launch_description() -> LaunchDescription:
    """Arguments, environment, node, RViz."""
    return LaunchDescription(
        [
            *(
                DeclareLaunchArgument(name, default_value=default, description=description)
                for name, (default, description) in ARGUMENTS.items()
            ),
            *(
                SetEnvironmentVariable(name, EnvironmentVariable(name, default_value=value))
                for name, value in ENVIRONMENT.items()
            ),
            OpaqueFunction(function=node),
            rviz(),
        ]
    )
