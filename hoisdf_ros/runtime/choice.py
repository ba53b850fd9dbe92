"""Which backend runs the network."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from hoisdf_ros.config import EstimatorConfig, NetworkConfig, Sampler
from hoisdf_ros.errors import BackendError
from hoisdf_ros.network.model import Hoisdf
from hoisdf_ros.network.serving import serving_copy
from hoisdf_ros.runtime.accuracy import compare
from hoisdf_ros.runtime.backend import Backend, EagerBackend, choose_device
from hoisdf_ros.runtime.compiled import CpuMaker
from hoisdf_ros.runtime.cuda_graph import cuda_graph_backend
from hoisdf_ros.runtime.engine import CachePolicy, Say, ready
from hoisdf_ros.runtime.engine_cache import cache_directory, network_hash
from hoisdf_ros.runtime.precision import in_precision
from hoisdf_ros.runtime.tensorrt import TensorRtMaker
from hoisdf_ros.runtime.threads import use_threads

_IN_BOXES = 0.2
"""Share of the lattice that usual boxes hold, of the demo's crops at the median."""


def silent(_: str) -> None:
    """Say nothing."""


@dataclass(frozen=True, eq=False)
class Source:
    """What is to be run, and how.

    Args:
        network: Weights loaded.
        weights_hash: Of these weights.
        config: Backend, device, precision, sampler, engines.
    """

    network: Hoisdf
    weights_hash: str
    config: EstimatorConfig

    def precision(self, device: str) -> str:
        """Of the matrix products: fp32, fp16 or bf16.

        Args:
            device: Where they are computed; processors have no fp16.
        """
        wanted = self.config.precision
        if device == "cpu":
            return "bf16" if wanted == "bf16" else "fp32"
        return "fp16" if wanted == "auto" else wanted

    @property
    def policy(self) -> CachePolicy:
        """What may be done about engines."""
        config = self.config
        directory = cache_directory(config.engine_cache_dir)
        return CachePolicy(directory, config.rebuild_engine, config.allow_engine_build)

    def eager(self, device: str) -> Hoisdf:
        """The network as it serves without being compiled."""
        sampler = _chosen(self.config) or _cheaper(self.network.config)
        return serving_copy(self.network, sampler, rows=device == "cpu").to(device)

    def static(self, device: str, *, rows: bool = False) -> Hoisdf:
        """The network as it is compiled, with one shape for everything.

        Args:
            device: Where it is to be.
            rows: See `serving_copy`.
        """
        sampler = _chosen(self.config) or "coarse_to_fine"
        return serving_copy(self.network, sampler, rows=rows).to(device)

    def hash(self, served: Hoisdf) -> str:
        """What engines know the network by."""
        return network_hash(self.weights_hash, served.config)


def _chosen(config: EstimatorConfig) -> Sampler | None:
    """The sampler that the user names."""
    if config.sampler == "auto":
        return None
    return "dense" if config.sampler == "dense" else "coarse_to_fine"


def _cheaper(config: NetworkConfig) -> Sampler:
    """What evaluates fewer points, where the dense sampler leaves those out that no box holds."""
    dense = 2 * config.lattice_size**3 * _IN_BOXES
    search = config.hand_search.evaluated + config.object_search.evaluated
    return "coarse_to_fine" if search < dense else "dense"


Way = Callable[[Source, str, Say], Backend]


def make_backend(source: Source, say: Say = silent) -> Backend:
    """The backend that the settings name; ``auto`` takes the fastest one that there is.

    On a CPU it also sets how many threads torch uses in this process.

    A CPU's compiled network is taken by ``auto`` where it has been built before: that takes
    minutes, which nobody wants to wait for at a first start.

    Args:
        source: What is to be run, and how.
        say: Is told what takes long.

    Raises:
        BackendError: The device does not exist, or the backend cannot run the network here.
    """
    wanted, device = source.config.backend, choose_device(source.config.device)
    ways = _ON_GPU if device.startswith("cuda") else _ON_CPU
    if device == "cpu":
        use_threads(source.network, source.config.cpu_threads)
    if wanted == "auto":
        if device == "cpu":
            settings = replace(source.config, allow_engine_build=False, rebuild_engine=False)
            source = replace(source, config=settings)
        return _first_that_works(ways, source, device, say)
    if wanted not in ways:
        raise BackendError(
            f"backend '{wanted}' on device '{device}': expected auto or one of {', '.join(ways)}"
        )
    return ways[wanted](source, device, say)


def _first_that_works(ways: dict[str, Way], source: Source, device: str, say: Say) -> Backend:
    """The first way that works; the last one always does."""
    (name, way), *others = ways.items()
    if not others:
        return way(source, device, say)
    try:
        return way(source, device, say)
    except BackendError as error:
        backend = _first_that_works(dict(others), source, device, say)
        backend.notes = (f"not {name}: {error}", *backend.notes)
        return backend


def _eager(source: Source, device: str, say: Say) -> Backend:  # noqa: ARG001  one of the ways
    served = source.eager(device)
    if device != "cpu":  # there it is what all others are compared with
        return EagerBackend(served, device)
    precision = source.precision(device)
    backend = EagerBackend(in_precision(served, precision), device, precision=precision)
    if precision != "fp32":
        compare(served, backend, precision, device)
    return backend


def _tensorrt(source: Source, device: str, say: Say) -> Backend:
    served = source.static(device)
    maker = TensorRtMaker(served, source.hash(served), source.precision(device), device)
    return ready("tensorrt", maker, source.policy, say)


def _cuda_graph(source: Source, device: str, say: Say) -> Backend:
    say("recording the network")
    return cuda_graph_backend(source.static(device), source.precision(device), device)


def _compiled_cpu(source: Source, device: str, say: Say) -> Backend:
    served = source.static(device, rows=True)
    maker = CpuMaker(served, source.hash(served), source.precision(device))
    return ready("compiled", maker, source.policy, say)


_ON_GPU: dict[str, Way] = {"tensorrt": _tensorrt, "compiled": _cuda_graph, "eager": _eager}
_ON_CPU: dict[str, Way] = {"compiled": _compiled_cpu, "eager": _eager}
