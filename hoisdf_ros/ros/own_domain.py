"""What processes that talk by ROS to each other alone start with."""

import os
import random
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]


def prepare_environment() -> None:
    """This machine only, a domain of our own, and room for images in shared memory."""
    os.environ.setdefault("ROS_DOMAIN_ID", str(random.SystemRandom().randint(1, 100)))
    os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    profile = _ROOT / "config" / "fastdds_shm.xml"
    if profile.is_file():
        os.environ.setdefault("FASTRTPS_DEFAULT_PROFILES_FILE", str(profile))
        os.environ.setdefault("FASTDDS_DEFAULT_PROFILES_FILE", str(profile))
