"""The learning rate as a function of time: nothing to save, nothing to restore."""

from hoisdf_ros.training.settings import TrainConfig


def learning_rate(config: TrainConfig, step: int, steps_per_epoch: int) -> float:
    """Of a step: falls every few epochs down to a floor, after rising over the first steps.

    Args:
        config: Start, factor, floor, warm-up.
        step: Steps done before.
        steps_per_epoch: Steps of one epoch.
    """
    falls = step // steps_per_epoch // config.decay_epochs
    rate = max(config.learning_rate_floor, config.learning_rate * config.decay**falls)
    return rate * min(1.0, (step + 1) / (config.warmup_steps + 1))
