"""The node on a RealSense camera, with depth registered to the colour image.

ros2 launch hoisdf_ros realsense.launch.py weights:=...

Needs the package realsense2_camera. Models whose camera_info tells of distortion (D455) also
need image_proc in between: see image_is_rectified in config/hoisdf.yaml.
"""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.substitutions import FindPackageShare

CAMERA = "/camera/camera"  # namespace and name that realsense2_camera gives itself
ARGUMENTS = {
    "color_profile": ("640x480x30", "width x height x images per second"),
    "depth_profile": ("640x480x30", "width x height x images per second"),
    "rviz_frame": ("camera_color_optical_frame", "fixed frame of RViz"),
}
REALSENSE = {
    "align_depth.enable": "true",
    "enable_sync": "true",
    "rgb_camera.color_profile": LaunchConfiguration("color_profile"),
    "depth_module.depth_profile": LaunchConfiguration("depth_profile"),
}
HOISDF = {
    "image_topic": f"{CAMERA}/color/image_raw",
    "camera_info_topic": f"{CAMERA}/color/camera_info",
    "depth_topic": f"{CAMERA}/aligned_depth_to_color/image_raw",
    "rviz_frame": LaunchConfiguration("rviz_frame"),
}


def included(package: str, file: str, arguments: dict[str, object]) -> IncludeLaunchDescription:
    """Another launch file; arguments not named here reach it from the command line."""
    path = PathJoinSubstitution([FindPackageShare(package), "launch", file])
    return IncludeLaunchDescription(path, launch_arguments=list(arguments.items()))


def generate_launch_description() -> LaunchDescription:
    """The node with what its launch file sets, then the camera in the same environment."""
    return LaunchDescription(
        [
            *(
                DeclareLaunchArgument(name, default_value=default, description=description)
                for name, (default, description) in ARGUMENTS.items()
            ),
            # First: it also sets the environment in which images are not lost.
            included("hoisdf_ros", "hoisdf.launch.py", HOISDF),
            included("realsense2_camera", "rs_launch.py", REALSENSE),
        ]
    )
