"""A look at a hand, steadied by those before it."""

from dataclasses import replace

from hoisdf_ros.looking.look import Pass
from hoisdf_ros.looking.looker import Looker
from hoisdf_ros.postprocessing.smoothing import Smoother


def steadied(looker: Looker, done: Pass, smoother: Smoother) -> Pass:
    """The hand in its smoothed pose, at its smoothed wrist, and the object with it.

    Args:
        looker: Poses hands.
        done: As it was seen.
        smoother: Of this hand.
    """
    hand, held = done.raw
    seen = done.look.root.position
    smoother.at(done.look.frame.stamp)
    rotations, betas = smoother.pose(hand.rotations, hand.betas)
    vertices, joints = looker.posed(rotations, betas)
    root = replace(done.look.root, position=smoother.wrist(seen))
    held = smoother.held(held, seen)
    held = replace(held, center=held.center + root.position - seen)
    hand = replace(hand, vertices=vertices, joints=joints, rotations=rotations, betas=betas)
    return replace(done, look=replace(done.look, root=root), raw=(hand, held))
