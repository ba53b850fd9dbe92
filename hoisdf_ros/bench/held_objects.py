"""How often the held object is named rightly, an unknown one is told, an empty hand is empty.

Synthetic pictures, of a split that neither the network nor the scores' weights were fitted to::

    python -m hoisdf_ros.bench.held_objects --weights demo.pth --pictures 300
    python -m hoisdf_ros.bench.held_objects --spoilt 1 --fit
"""

import argparse
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from hoisdf_ros.bench.held_object_fit import fit_holding, fit_naming
from hoisdf_ros.bench.object_evidence import Evidence, NetworkWitness, TrueWitness
from hoisdf_ros.config import EstimatorConfig, preset
from hoisdf_ros.data.object_models import MeshLibrary
from hoisdf_ros.data.sample import Sample
from hoisdf_ros.data.synthetic import SyntheticData
from hoisdf_ros.data.synthetic_scene import Kind
from hoisdf_ros.datatypes import Array
from hoisdf_ros.estimator import Estimator
from hoisdf_ros.geometry.mesh import PACKAGED_OBJECTS
from hoisdf_ros.postprocessing.candidates import Candidate, prepare_all
from hoisdf_ros.postprocessing.holding import MIN_SCORE, holding, holding_cues
from hoisdf_ros.postprocessing.identity import UNKNOWN, Fit, fit_all
from hoisdf_ros.postprocessing.naming import Named, log_odds, name_it
from hoisdf_ros.postprocessing.object_box import object_in_mask
from hoisdf_ros.postprocessing.object_view import view_object
from hoisdf_ros.postprocessing.objects import ObjectLibrary
from hoisdf_ros.postprocessing.sight import see

Witness = NetworkWitness | TrueWitness
_SCORE_BINS = 5


@dataclass(frozen=True, eq=False)
class Case:
    """One picture.

    Args:
        kind: What the hand does.
        truth: Object id; `UNKNOWN` for one that no candidate is; empty without an object.
        fits: Of every candidate; empty when there is nothing to fit.
        blind: The same without depth.
        holding_cues: Of `postprocessing.holding`.
        held_score: What that says.
        milliseconds: CPU time of sampling the field, of looking, and of fitting.
    """

    kind: Kind
    truth: str
    fits: Mapping[str, Fit]
    blind: Mapping[str, Fit]
    holding_cues: Array
    held_score: float
    milliseconds: tuple[float, float]


@dataclass(frozen=True)
class Accuracy:
    """Of naming.

    Args:
        known: Share of known objects named rightly.
        among_two: Share of them that are the name or the runner-up.
        unknown: Share of unknown objects called so.
        wrong: Share of all objects given a wrong name, the cases that harm.
        miscalibration: Mean gap between score and share of right names, over bins of score.
        count: Objects seen.
    """

    known: float
    among_two: float
    unknown: float
    wrong: float
    miscalibration: float
    count: int


def examine(
    cases: Iterable[tuple[int, Kind, Sample]],
    witness: Witness,
    candidates: Mapping[str, Candidate],
    config: EstimatorConfig,
) -> Iterator[Case]:
    """Try the candidates on every picture."""
    for number, kind, sample in cases:
        evidence = witness(sample, number)
        fits, ms = _fits(evidence, sample, candidates, config, depth=True)
        blind, _ = _fits(evidence, sample, candidates, config, depth=False)
        masks, skin = evidence.masks, evidence.skin - evidence.said.center
        seen = object_in_mask(masks.hand, masks.thing, evidence.crop, sample.camera.width)
        object_id = sample.object_id
        truth = "" if object_id is None else object_id if object_id in candidates else UNKNOWN
        yield Case(
            kind,
            truth,
            fits,
            blind,
            holding_cues(seen, masks.thing, evidence.field, skin),
            holding(seen, masks.thing, evidence.field, skin).score,
            ms,
        )


def naming_accuracy(cases: Iterable[Case], *, depth: bool) -> Accuracy:
    """How well the held objects, or those beside the hand, are named."""
    said: list[tuple[str, Named]] = []
    for case in cases:
        fits = case.fits if depth else case.blind
        if case.truth:
            named = name_it(log_odds(fits)) if fits else Named(UNKNOWN, 0.0, "", 0.0)
            said.append((case.truth, named))
    known = [(truth, named) for truth, named in said if truth != UNKNOWN]
    right = np.array([truth == named.object_id for truth, named in said])
    scores = np.array([named.score for _, named in said])
    bins = np.minimum((scores * _SCORE_BINS).astype(int), _SCORE_BINS - 1)
    gaps = [
        abs(float(right[bins == k].mean() - scores[bins == k].mean())) * float((bins == k).mean())
        for k in np.unique(bins)
    ]
    return Accuracy(
        known=_share([truth == named.object_id for truth, named in known]),
        among_two=_share(
            [truth in (named.object_id, named.runner_up_id) for truth, named in known]
        ),
        unknown=_share([named.object_id == UNKNOWN for truth, named in said if truth == UNKNOWN]),
        wrong=_share([named.object_id not in (truth, UNKNOWN) for truth, named in said]),
        miscalibration=float(sum(gaps)),
        count=len(said),
    )


def main() -> None:
    """Print the measurement."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", default="", help="checkpoint; empty: the labels themselves")
    parser.add_argument("--spoilt", type=float, default=0.0, help="errors added to the labels (0)")
    parser.add_argument("--split", choices=("val", "test"), default="test")
    parser.add_argument("--pictures", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--fit", action="store_true", help="print new weights of the scores, too")
    options = parser.parse_args()
    config = EstimatorConfig(weights=options.weights)
    data = SyntheticData(options.split, options.pictures, options.seed)
    witness: Witness = (
        NetworkWitness(Estimator(config))
        if options.weights
        else TrueWitness(preset("demo"), MeshLibrary(data.meshes), options.spoilt)
    )
    pictures = ((k, data.kind(k), data[k]) for k in range(len(data)))
    candidates = prepare_all(ObjectLibrary(PACKAGED_OBJECTS))
    cases = list(examine(pictures, witness, candidates, config))
    data.close()
    _print(cases)
    if options.fit:
        for depth in (True, False):
            fits = [(case.truth, case.fits if depth else case.blind) for case in cases]
            print(f"naming, depth {depth}: {fit_naming(fits)}")
        labels = np.array([case.kind is Kind.HELD for case in cases])
        print(f"holding: {fit_holding(np.stack([case.holding_cues for case in cases]), labels)}")


def _fits(
    evidence: Evidence,
    sample: Sample,
    candidates: Mapping[str, Candidate],
    config: EstimatorConfig,
    *,
    depth: bool,
) -> tuple[dict[str, Fit], tuple[float, float]]:
    if evidence.field is None or not sample.object_id:
        return {}, (0.0, 0.0)
    crop, masks = evidence.crop, evidence.masks
    start = time.thread_time()
    sight = None
    if depth and sample.depth is not None:
        limits = (config.min_depth_m, config.max_depth_m)
        sight = see(sample.depth, crop, masks.hand, masks.thing, limits)
    picture = crop.apply(sample.image)
    view = view_object(masks, picture, crop.intrinsics, sight, mirrored=crop.mirrored)
    looked = time.thread_time()
    if not view.seen.any():
        return {}, (0.0, 0.0)
    fits = fit_all(candidates, evidence.field, view, evidence.said)
    return fits, (1e3 * (looked - start), 1e3 * (time.thread_time() - looked))


def _print(cases: list[Case]) -> None:
    for depth in (True, False):
        found = naming_accuracy(cases, depth=depth)
        print(
            f"{'with' if depth else 'without'} depth, {found.count} objects: named rightly "
            f"{found.known:.1%}, among the first two {found.among_two:.1%}, unknown called so "
            f"{found.unknown:.1%}, wrong names {found.wrong:.1%}, scores off by "
            f"{found.miscalibration:.3f}"
        )
    for kind in Kind:
        scores = np.array([case.held_score for case in cases if case.kind is kind])
        share = _share(scores >= MIN_SCORE)
        print(f"hand {kind.value}: {share:.1%} of {len(scores)} taken to hold something")
    spent = np.array([case.milliseconds for case in cases if case.fits])
    if len(spent):
        looking, fitting = np.median(spent, axis=0)
        print(f"CPU time: looking {looking:.1f} ms, fitting all candidates {fitting:.0f} ms")


def _share(flags: Iterable[bool]) -> float:
    values = np.array(list(flags), dtype=float)
    return float(values.mean()) if len(values) else float("nan")


if __name__ == "__main__":
    main()
