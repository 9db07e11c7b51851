"""The version of the module, which is that of the npm package and is written by its release."""

__version__ = "0.2.0"
