"""The exceptions of this package: one for every kind of answer a caller can give.

Every message names the offending value, what was expected and what to do next, so that it
can be shown to a user as it stands.
"""


class HoisdfError(Exception):
    """Anything this package refuses; catch it at a border, show it, carry on or stop."""


class ConfigError(HoisdfError):
    """A setting, preset or parameter that cannot be used as given."""


class CameraError(HoisdfError):
    """Intrinsics or a camera model that cannot be used: zero focal length, NaN, distortion."""


class ImageError(HoisdfError):
    """An image or depth map of the wrong size, step, encoding or frame."""


class CheckpointError(HoisdfError):
    """Weights that do not fit the network they are given to, or that are not safe to read."""


class HandModelError(HoisdfError):
    """A hand model file that is incomplete, malformed or not safe to read."""


class MeshError(HoisdfError):
    """An object mesh that is missing, empty or malformed."""


class NpzError(HoisdfError):
    """An ``.npz`` file that is missing, damaged, or holds more than plain arrays."""


class DetectorError(HoisdfError):
    """The hand detector's weights are missing, or cannot be had."""


class RootError(HoisdfError):
    """No wrist position in metres can be had from what is known about this frame."""


class BackendError(HoisdfError):
    """The network cannot be executed the way that was asked for."""


class DataError(HoisdfError):
    """A data set's folder or sample that is missing, half there, damaged or contradicts itself."""


class TrainingError(HoisdfError):
    """A training run that cannot start, or not go on: not finite, full disk, another run's."""


class ParityError(HoisdfError):
    """A golden file that cannot be compared: arrays missing, or of another preset."""


class EvaluationError(HoisdfError):
    """Predictions and truth that cannot be compared: shapes, counts, NaN, files."""


def reason(error: BaseException) -> str:
    """The first line of a foreign error's message, or its type when it has none."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
