"""The wheel contains a compiled library but no extension module: any Python 3, one platform."""
from setuptools import Distribution, setup
from setuptools.command.bdist_wheel import bdist_wheel


class Native(Distribution):
    def has_ext_modules(self):
        return True


class AnyPython(bdist_wheel):
    def get_tag(self):
        return ("py3", "none", super().get_tag()[2])


setup(distclass=Native, cmdclass={"bdist_wheel": AnyPython})
