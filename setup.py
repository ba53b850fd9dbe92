"""Installs the part of hoisdf_ros that needs no ROS; colcon goes by package.xml instead."""

from setuptools import find_packages, setup

setup(
    name="hoisdf_ros",
    version="0.1.0",
    description="Hands and the objects they hold, from RGB-D images",
    license="Apache-2.0",
    author="hoisdf_ros developers",
    author_email="hoisdf-ros@example.org",
    python_requires=">=3.10",
    packages=find_packages(include=["hoisdf_ros", "hoisdf_ros.*"]),
    package_data={"hoisdf_ros": ["assets/**", "py.typed"]},
    install_requires=[
        "matplotlib",
        "moderngl",
        "numpy>=1.26",
        "opencv-python>=4.6,<5",
        "pyyaml",
        "scikit-image",
        "scipy",
        "smplx",
        "torch>=2.5",
        "tqdm",
        "transforms3d",
    ],
    extras_require={
        "portable": ["onnx", "onnxscript", "torch-tensorrt-rtx"],  # `hoisdf compile --target`
    },
    entry_points={"console_scripts": ["hoisdf = hoisdf_ros.cli.main:main"]},
)
