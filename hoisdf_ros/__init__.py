"""Hands and the objects they hold: joints, meshes and object frames from RGB-D images."""

from pkgutil import extend_path

# Message classes are built elsewhere: this makes `hoisdf_ros.msg` and the sources one package.
__path__ = extend_path(__path__, __name__)
