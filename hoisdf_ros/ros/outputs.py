"""Everything the node publishes about an image; what is costly only while somebody listens."""

from pathlib import Path

from ament_index_python.packages import PackageNotFoundError, get_package_share_directory
from rclpy.lifecycle import LifecycleNode, LifecyclePublisher
from rclpy.qos import (
    DurabilityPolicy,
    QoSProfile,
    ReliabilityPolicy,
    qos_profile_sensor_data,
)
from rclpy.qos_overriding_options import QoSOverridingOptions
from sensor_msgs.msg import Image
from std_msgs.msg import Header
from tf2_msgs.msg import TFMessage
from vision_msgs.msg import Detection3DArray
from visualization_msgs.msg import MarkerArray

from hoisdf_ros.config import NodeConfig
from hoisdf_ros.conventions import Side
from hoisdf_ros.datatypes import Estimate, Frame, Mesh
from hoisdf_ros.errors import MeshError
from hoisdf_ros.geometry.mesh import PACKAGED_OBJECTS
from hoisdf_ros.msg import HandFaces, HandMeshArray, HandPoseArray, HeldObjectArray
from hoisdf_ros.postprocessing import overlay
from hoisdf_ros.ros.core import EstimatorLike
from hoisdf_ros.ros.estimate_messages import (
    UNKNOWN_MODEL,
    ObjectModel,
    detection_3d_array,
    hand_faces,
    hand_mesh_array,
    hand_pose_array,
    held_object_array,
)
from hoisdf_ros.ros.image_messages import RGB
from hoisdf_ros.ros.markers import MarkerMaker
from hoisdf_ros.ros.sensor_messages import image_message
from hoisdf_ros.ros.transforms import tf_message


class Outputs:
    """The node's publishers.

    Args:
        node: Who publishes; silent unless it is active.
        estimator: Knows the faces of the hands and the meshes of the objects.
    """

    def __init__(self, node: LifecycleNode, estimator: EstimatorLike) -> None:
        self._node = node
        self._estimator = estimator
        self._models: dict[str, ObjectModel] = {}
        self._faces = {side: estimator.faces(side) for side in (Side.LEFT, Side.RIGHT)}
        self._marker_maker = MarkerMaker(self._faces)
        self._publishers: list[LifecyclePublisher] = []
        self._hands = self._publisher(HandPoseArray, "hands", _reliable(10))
        self._objects = self._publisher(HeldObjectArray, "objects", _reliable(10))
        self._meshes = self._publisher(HandMeshArray, "hand_meshes", _reliable(2))
        self._hand_faces = self._publisher(HandFaces, "hand_faces", _latched(2))
        self._detections = self._publisher(Detection3DArray, "detections_3d", _reliable(10))
        self._markers = self._publisher(MarkerArray, "markers", _reliable(10))
        self._debug = self._publisher(Image, "debug_image", qos_profile_sensor_data)
        self._tf = self._publisher(TFMessage, "/tf", _reliable(100))

    def publish_faces(self) -> None:
        """Send each side's triangles, once; late subscribers get them too."""
        for side, faces in self._faces.items():
            self._hand_faces.publish(hand_faces(side, faces))

    def publish(self, header: Header, frame: Frame, estimate: Estimate, config: NodeConfig) -> None:
        """Send one image's results under the image's own header, be there any or none."""
        models = {held.object_id: self._model(held.object_id) for held in estimate.objects}
        self._hands.publish(hand_pose_array(header, estimate.hands, frame.camera))
        self._objects.publish(held_object_array(header, estimate.objects, models))
        transforms = tf_message(header, estimate, config)
        if transforms.transforms:
            self._tf.publish(transforms)
        if _heard(self._detections):
            self._detections.publish(detection_3d_array(header, estimate.objects, models))
        if _heard(self._meshes):
            self._meshes.publish(hand_mesh_array(header, estimate.hands))
        if _heard(self._markers):
            timeout = int(config.lost_timeout_ms * 1e6)
            self._markers.publish(self._marker_maker(header, estimate, models, timeout))
            for surface in self._marker_maker.surfaces(header, estimate):
                self._markers.publish(surface)
        if _heard(self._debug):
            self._debug.publish(image_message(header, self._drawn(frame, estimate)))

    def destroy(self) -> None:
        """Take the topics away."""
        for publisher in self._publishers:
            self._node.destroy_lifecycle_publisher(publisher)
        self._publishers.clear()

    def _publisher(self, kind: type, topic: str, qos: QoSProfile) -> LifecyclePublisher:
        options = QoSOverridingOptions.with_default_policies()
        publisher = self._node.create_lifecycle_publisher(
            kind, topic, qos, qos_overriding_options=options
        )
        self._publishers.append(publisher)
        return publisher

    def _mesh(self, object_id: str) -> Mesh | None:
        """The mesh of an object, or None for one the detector knows and the core does not."""
        try:
            return self._estimator.object_mesh(object_id)
        except MeshError:
            return None

    def _model(self, object_id: str) -> ObjectModel:
        """What messages say of an object, worked out once."""
        if object_id not in self._models:
            mesh = self._mesh(object_id)
            self._models[object_id] = UNKNOWN_MODEL if mesh is None else model_of(mesh)
        return self._models[object_id]

    def _drawn(self, frame: Frame, estimate: Estimate) -> RGB:
        found = {held.object_id: self._mesh(held.object_id) for held in estimate.objects}
        meshes = {object_id: mesh for object_id, mesh in found.items() if mesh is not None}
        return overlay.draw(frame.image, estimate, frame.camera, self._faces, meshes)


def model_of(mesh: Mesh) -> ObjectModel:
    """What messages say of a mesh."""
    center = (mesh.vertices.min(axis=0) + mesh.vertices.max(axis=0)) / 2
    return ObjectModel(mesh_resource(mesh.path), center)


def mesh_resource(path: Path | None) -> str:
    """The URL under which RViz and planners find a mesh file; empty without a file.

    The packaged objects have a ``package://`` URL where the package is installed, which also
    holds on another machine; other files one of this machine.
    """
    if path is None:
        return ""
    file = path.resolve()
    if file.is_relative_to(PACKAGED_OBJECTS) and _share_has_objects():
        return f"package://hoisdf_ros/objects/{file.relative_to(PACKAGED_OBJECTS).as_posix()}"
    return file.as_uri()


def _share_has_objects() -> bool:
    try:
        share = get_package_share_directory("hoisdf_ros")
    except (PackageNotFoundError, LookupError):
        return False
    return (Path(share) / "objects").is_dir()


def _heard(publisher: LifecyclePublisher) -> bool:
    return bool(publisher.get_subscription_count())


def _reliable(depth: int) -> QoSProfile:
    return QoSProfile(depth=depth, reliability=ReliabilityPolicy.RELIABLE)


def _latched(depth: int) -> QoSProfile:
    return QoSProfile(
        depth=depth,
        reliability=ReliabilityPolicy.RELIABLE,
        durability=DurabilityPolicy.TRANSIENT_LOCAL,
    )
