"""The posed hand: MANO's linear blend skinning, computed by smplx.

The only module that imports smplx (non-commercial scientific research licence: see the
README). Rotations and shape in, surface and 21 joints out, in metres from the wrist.
"""

import contextlib
import io
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from smplx import MANOLayer
from torch import Tensor, nn

from hoisdf_ros.conventions import HAND_ORDER_FROM_MANO, Side
from hoisdf_ros.hand_model.assets import HandArrays


class HandGeometry(NamedTuple):
    """A posed hand, relative to its wrist joint, in the axes of its wrist rotation's parent.

    Args:
        vertices: (B, 778, 3) surface, metres from the wrist.
        joints: (B, 21, 3) joints in the order of `conventions.JOINT_NAMES`, metres from the
            wrist; the first is zero.
    """

    vertices: Tensor
    joints: Tensor


class HandModel(nn.Module):
    """MANO or the packaged stand-in as a differentiable function of rotations and shape.

    The flat hand is the zero pose: ``hands_mean`` is not added (spec of the published
    network). The wrist's own position is not part of this model; add it afterwards.

    Args:
        arrays: The hand; see `assets.load_hand_arrays`.
    """

    order: Tensor
    tips: Tensor

    def __init__(self, arrays: HandArrays) -> None:
        super().__init__()
        self.arrays = arrays
        self.layer = _smplx_layer(arrays)
        self.register_buffer("order", torch.tensor(HAND_ORDER_FROM_MANO), persistent=False)
        self.register_buffer("tips", torch.tensor(arrays.tips), persistent=False)

    @property
    def faces(self) -> NDArray[np.int64]:
        """(1538, 3) vertex indices of the triangles, outside anticlockwise."""
        return self.arrays.faces

    @property
    def side(self) -> Side:
        """Which hand this is."""
        return self.arrays.side

    def mirrored(self) -> "HandModel":
        """The other hand, which gives the mirrored surface for rotations M R M."""
        return HandModel(self.arrays.mirrored()).to(self.order.device)

    def forward(self, rotations: Tensor, betas: Tensor) -> HandGeometry:
        """Pose the hand.

        Args:
            rotations: (B, 16, 3, 3) rotation of each MANO joint relative to its parent; the
                wrist's is relative to the axes in which the result is wanted.
            betas: (B, 10) shape values.

        Returns:
            The hand around its wrist, metres.
        """
        posed = self.layer(betas=betas, global_orient=rotations[:, :1], hand_pose=rotations[:, 1:])
        wrist = posed.joints[:, :1]  # (B, 1, 3)
        joints = torch.cat([posed.joints, posed.vertices[:, self.tips]], dim=1)  # (B, 21, 3)
        return HandGeometry(posed.vertices - wrist, joints[:, self.order] - wrist)


def _smplx_layer(arrays: HandArrays) -> nn.Module:
    """The MANO layer of smplx over arrays that are already in memory."""
    data = SimpleNamespace(
        v_template=arrays.v_template,
        f=arrays.faces,
        J_regressor=arrays.joint_regressor,
        weights=arrays.weights,
        shapedirs=arrays.shapedirs,
        posedirs=arrays.posedirs,
        hands_mean=arrays.hands_mean,
        hands_components=arrays.hands_components,
        kintree_table=np.stack([arrays.parents, np.arange(len(arrays.parents))]),
    )
    with contextlib.redirect_stdout(io.StringIO()):  # smplx prints that 10 shape values are few
        layer: nn.Module = MANOLayer(
            model_path="",
            data_struct=data,
            is_rhand=arrays.side is Side.RIGHT,
            create_body_pose=False,
            use_pca=False,
            flat_hand_mean=True,
            num_pca_comps=len(arrays.hands_mean),
        )
    return layer
