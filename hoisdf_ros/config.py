"""Settings: the network's presets, the estimator's and the node's parameters.

A default stands here and nowhere else: ROS parameters, command-line options and
``config/hoisdf.yaml`` are read off these dataclasses.
"""

from dataclasses import dataclass, replace
from typing import Literal

from hoisdf_ros.errors import ConfigError
from hoisdf_ros.parameter import parameter
from hoisdf_ros.search_budget import SearchBudget, check_search

Lattice = Literal["regular", "sheared"]
HandHead = Literal["mano", "inverse_kinematics"]
Sampler = Literal["dense", "coarse_to_fine"]


@dataclass(frozen=True)
class BackboneConfig:
    """A residual network (He et al. 2016, v1.5: stride in the 3x3 convolution).

    Args:
        blocks: Residual blocks of the four stages.
        bottleneck: 1x1-3x3-1x1 blocks that widen fourfold, else two 3x3 convolutions.
        width: Channels of the stem and of the first stage.
    """

    blocks: tuple[int, int, int, int] = (3, 4, 6, 3)
    bottleneck: bool = True
    width: int = 64

    @property
    def channels(self) -> tuple[int, int, int, int, int]:
        """Channels of the skips at stride 2, 4, 8, 16, 32."""
        w, grow = self.width, 4 if self.bottleneck else 1
        return (w, w * grow, 2 * w * grow, 4 * w * grow, 8 * w * grow)


@dataclass(frozen=True)
class MobileBackboneConfig:
    """The trunk of the hand detector's landmark network, which has no numbers to choose.

    Args:
        channels: Of the skips at stride 2, 4, 8, 16, 32.
    """

    channels: tuple[int, int, int, int, int] = (16, 24, 40, 112, 192)


@dataclass(frozen=True)
class DecoderConfig:
    """The U-shaped decoder (supplementary, Sec. 1.1).

    Args:
        widths: Channels of the pyramid at stride 2, 4, 8, 16, 32.
        up_widths: Channels of the upsampled branch that joins stride 2, 4, 8, 16.
        project_skips: Narrow each skip to its level's width by a 1x1 convolution first; without
            it the skips join as they are and stride 32 is the backbone's last stage.
        head_widths: Hidden channels of the heatmap and mask heads.
        heatmap_scale: The heatmap head's output is multiplied by this. 255 lets a head that is
            trained from scratch reach targets that peak there; 1 is as published.
    """

    widths: tuple[int, int, int, int, int] = (32, 64, 128, 256, 512)
    up_widths: tuple[int, int, int, int] = (64, 64, 128, 256)
    project_skips: bool = True
    head_widths: tuple[int, ...] = (32,)
    heatmap_scale: float = 1.0


SMALL_DECODER = DecoderConfig()
BIG_DECODER = DecoderConfig((128, 256, 512, 1024, 2048), (128, 256, 512, 1024), False, (128, 64))


HAND_SEARCH, OBJECT_SEARCH = SearchBudget(768, (160, 560)), SearchBudget(768, (360, 960))
"""Of the full-size networks. Chosen on trained weights, see `bench.sampling.full_size`: with a
tenth less, one picture of a hundred moves by over half a millimetre."""


@dataclass(frozen=True)
class NetworkConfig:
    """Everything that shapes the network and the crop it looks at.

    Args:
        name: Preset name.
        backbone, decoder: Image features.
        hand_head: Where the hand's rotations come from: regressed MANO parameters, or inverse
            kinematics on the voted joints.
        hand_box_margin: The hand box is scaled by this before points are sampled in it.
        object_depth: Depth of the object crop centre, metres; None takes the wrist's depth.
        image_size: Side of the square crop, pixels.
        lattice_size: Points along each edge of the sampling lattice.
        lattice: ``regular``, or ``sheared`` as the published code lays it out.
        hand_points, object_points: Query points kept per field.
        sampler: How they are found: ``dense`` evaluates every point of the lattice that the boxes
            hold; ``coarse_to_fine`` only those near the surface, as many as the budgets say.
        hand_search, object_search: Budgets of the latter.
        dim: Token width D.
        heads: Attention heads.
        feedforward: Hidden width of the transformer layers.
        hand_encoder_layers, object_encoder_layers, hand_decoder_layers: Depths.
        field_input_widths: Image feature MLP in front of the two fields.
        field_width: Hidden width of the field decoders.
        token_widths: Hidden widths of the image feature MLP in front of the tokens.
        sdf_scale: Normalised units per metre.
        sdf_clamp: Predicted distances are clamped to +- this, normalised units.
        dropout: In training, share of attention weights and token channels dropped.
        field_dropout: The same of the field decoders' hidden channels.
    """

    name: str = "dexycb"
    backbone: BackboneConfig | MobileBackboneConfig = BackboneConfig()
    decoder: DecoderConfig = SMALL_DECODER
    hand_head: HandHead = "mano"
    hand_box_margin: float = 1.1
    object_depth: float | None = None
    image_size: int = 256
    lattice_size: int = 64
    lattice: Lattice = "regular"
    hand_points: int = 600
    object_points: int = 200
    sampler: Sampler = "dense"
    hand_search: SearchBudget = HAND_SEARCH
    object_search: SearchBudget = OBJECT_SEARCH
    dim: int = 256
    heads: int = 4
    feedforward: int = 1024
    hand_encoder_layers: int = 6
    object_encoder_layers: int = 3
    hand_decoder_layers: int = 4
    field_input_widths: tuple[int, ...] = (512, 256)
    field_width: int = 512
    token_widths: tuple[int, ...] = (1024, 512, 256)
    sdf_scale: float = 3.1
    sdf_clamp: float = 0.15
    dropout: float = 0.1
    field_dropout: float = 0.2

    def __post_init__(self) -> None:
        """Refuse combinations that cannot be built."""
        if self.dim % self.heads:
            raise ConfigError(
                f"dim {self.dim} does not divide into {self.heads} heads; change one of them"
            )
        points = self.lattice_size**3
        if max(self.hand_points, self.object_points) > points:
            raise ConfigError(
                f"{self.hand_points} hand and {self.object_points} object points cannot be taken "
                f"from a lattice of {self.lattice_size}^3 = {points}; enlarge lattice_size"
            )
        if self.sampler == "coarse_to_fine":
            check_search(
                self.lattice_size,
                (self.hand_search, self.object_search),
                (self.hand_points, self.object_points),
            )


_HO3D_OBJECT_DEPTH = 0.5244322  # metres; mean over HO-3D, network.md section 1

PRESETS: dict[str, NetworkConfig] = {
    preset.name: preset
    for preset in (
        NetworkConfig(),
        NetworkConfig(name="dexycb_full"),
        NetworkConfig(
            name="ho3d",
            decoder=BIG_DECODER,
            hand_box_margin=1.2,
            object_depth=_HO3D_OBJECT_DEPTH,
        ),
        NetworkConfig(
            name="ho3d_render",
            hand_head="inverse_kinematics",
            hand_box_margin=1.2,
            object_depth=_HO3D_OBJECT_DEPTH,
        ),
        NetworkConfig(
            name="demo",
            backbone=MobileBackboneConfig(),
            decoder=DecoderConfig((16, 32, 64, 96, 128), (32, 32, 64, 96), True, (16,), 255.0),
            hand_head="inverse_kinematics",  # measured: 42.6 mm where regressed poses were 47.0
            image_size=160,
            sdf_scale=5.0,  # the lattice reaches 20 cm, as far as a hand, not 32
            lattice_size=20,
            hand_points=128,
            object_points=64,
            hand_search=SearchBudget(768, (176,)),
            object_search=SearchBudget(768, (256,)),
            dim=128,
            feedforward=256,
            hand_encoder_layers=3,
            object_encoder_layers=2,
            hand_decoder_layers=2,
            field_input_widths=(96, 64),
            field_width=160,
            token_widths=(192, 128),
            dropout=0.0,
            field_dropout=0.0,
        ),
    )
}
"""The four published networks, and a small one for machines without a GPU."""


PACKAGED = "demo"
"""As `EstimatorConfig.weights`: the weights in this package, of the preset of the same name."""


def preset(name: str, lattice: Lattice = "regular") -> NetworkConfig:
    """The network configuration called ``name``.

    Raises:
        ConfigError: There is no such preset.
    """
    if name not in PRESETS:
        raise ConfigError(f"preset '{name}': expected one of {', '.join(PRESETS)}")
    return replace(PRESETS[name], lattice=lattice)


@dataclass(frozen=True)
class EstimatorConfig:
    """How one frame becomes hands and objects; each field is a ROS parameter too."""

    weights: str = parameter(
        PACKAGED,
        "checkpoint file (.pth); demo: the small network in this package, trained on rendered "
        "pictures; empty: random numbers, whose poses are meaningless",
    )
    preset: str = parameter(
        "",
        "network the weights belong to; empty: the one they name, or 'dexycb'; without weights "
        "'demo'",
        choices=("", *PRESETS),
    )
    hand_model_dir: str = parameter(
        "", "folder with MANO_RIGHT.pkl or .npz; empty: the packaged stand-in hand"
    )
    object_dir: str = parameter(
        "", "folder with one <object_id>/textured.obj per object; empty: the packaged demo set"
    )
    object_id: str = parameter(
        "",
        "the object being held; empty: as the detections say, else the one of object_dir that fits",
        live=True,
    )
    backend: str = parameter(
        "auto",
        "how the network runs; auto: the fastest that there is of tensorrt (on a GPU), compiled "
        "(on a CPU only where it has been built before) and eager",
        choices=("auto", "tensorrt", "compiled", "eager"),
    )
    device: str = parameter("auto", "auto, cpu or cuda[:index]")
    precision: str = parameter(
        "auto",
        "of the matrix products; all else is fp32; auto: fp16 on a GPU, fp32 on a CPU, where bf16 "
        "pays with instructions for it (avx512_bf16, AMX); backend eager on a GPU is fp32",
        choices=("auto", "fp16", "bf16", "fp32"),
    )
    cpu_threads: int = parameter(
        0,
        "threads that share the network's work on a CPU; 0: as many as pay, which is one for the "
        "demo network and torch's own number for larger ones",
        low=0,
        high=256,
    )
    sampler: str = parameter(
        "auto",
        "how the points near a surface are found; dense: exactly; coarse_to_fine: at a fraction of "
        "the cost; auto: dense only with backend eager and where that costs less",
        choices=("auto", "coarse_to_fine", "dense"),
    )
    engine_cache_dir: str = parameter(
        "", "folder of compiled networks; empty: $XDG_CACHE_HOME/hoisdf_ros or ~/.cache/hoisdf_ros"
    )
    rebuild_engine: bool = parameter(False, "compile the network even where it has been before")
    allow_engine_build: bool = parameter(
        True, "compile the network at start, which takes minutes; false: refuse where there is none"
    )
    depth_mode: str = parameter(
        "aligned",
        "aligned: take the wrist's position from depth registered to the image; none: from where "
        "the hand's joints are seen in the image, which knows its distance to some centimetres",
        choices=("aligned", "none"),
    )
    min_depth_m: float = parameter(
        0.1, "nearest depth believed, metres", low=0.01, high=10.0, live=True
    )
    max_depth_m: float = parameter(
        4.0, "farthest depth believed, metres", low=0.1, high=20.0, live=True
    )
    hand_detector: str = parameter(
        "builtin",
        "where hands come from besides 'detections', whose boxes always win; builtin: found and "
        "followed by the hand detector; track: only followed, by their own pose; external: from "
        "nowhere else",
        choices=("builtin", "external", "track"),
    )
    search_rate_hz: float = parameter(
        2.0,
        "parts of the image searched per second for more hands while some are followed; 0: none",
        low=0.0,
        high=100.0,
        live=True,
    )
    refine_root: bool = parameter(
        True,
        "move the wrist and turn the hand so that it lies on the depth it is seen in, bent as the "
        "network says; without depth move the wrist to where the joints are seen in the image",
        live=True,
    )
    second_pass_mm: float = parameter(
        25.0,
        "when this moves the wrist farther, the network looks once more, from there; millimetres",
        low=0.0,
        high=1000.0,
        live=True,
    )
    max_hands: int = parameter(2, "hands estimated per frame, best first", low=1, high=8, live=True)
    score_threshold: float = parameter(
        0.5, "detections below this score are ignored", low=0.0, high=1.0, live=True
    )
    side: str = parameter(
        "auto",
        "auto: as detected; left or right: every hand is taken for this one",
        choices=("auto", "left", "right"),
        live=True,
    )
    lost_timeout_ms: float = parameter(
        300.0, "a hand unseen for so long is lost, milliseconds", low=0.0, high=1e4, live=True
    )
    smoothing: bool = parameter(
        True,
        "steady pose and wrist of hands and objects that move slowly (One-Euro filter); turn it "
        "off to measure errors",
        live=True,
    )


MAX_AHEAD_MS = 200
"""How far ahead of the node's clock an image may be stamped: the clocks of two machines differ a
little, and a simulated one may tick every 100 ms only."""


@dataclass(frozen=True)
class NodeConfig(EstimatorConfig):
    """The ROS node's parameters: the estimator's and those of topics, time and TF."""

    image_transport: str = parameter(
        "raw", "raw: 'image'; compressed: 'image/compressed'", choices=("raw", "compressed")
    )
    image_qos: str = parameter(
        "sensor", "sensor: best effort; reliable", choices=("sensor", "reliable")
    )
    depth_qos: str = parameter(
        "sensor", "sensor: best effort; reliable", choices=("sensor", "reliable")
    )
    info_qos: str = parameter(
        "sensor", "sensor: best effort; reliable", choices=("sensor", "reliable")
    )
    image_is_rectified: bool = parameter(
        False,
        "the image comes from image_proc: take P of camera_info and do not mind its distortion; "
        "otherwise an image with distortion is refused",
    )
    max_input_age_ms: float = parameter(
        1000.0,
        "older images are dropped, milliseconds; so are those stamped more than "
        f"{MAX_AHEAD_MS} ms ahead of the node's clock",
        low=1.0,
        high=1e6,
        live=True,
    )
    sync_slop_ms: float = parameter(
        15.0,
        "largest difference of stamps between image and depth or detections, milliseconds",
        low=0.0,
        high=1000.0,
        live=True,
    )
    max_rate_hz: float = parameter(
        0.0, "frames processed per second at most; 0: no limit", low=0.0, high=1000.0, live=True
    )
    tf_prefix: str = parameter("", "put before 'hand_<id>' and 'object_<id>'")
    publish_tf: bool = parameter(True, "broadcast hand and object frames", live=True)
    publish_joint_tf: bool = parameter(False, "broadcast '<joint>_<id>' frames", live=True)
    publish_grasp_tf: bool = parameter(
        False, "broadcast 'grasp_<id>', midway between thumb and index tips", live=True
    )
    autostart: bool = parameter(True, "configure and activate on start, without a manager")
