"""HOISDF (CVPR 2024): one file per box of the paper, static shapes, no branch on data."""
