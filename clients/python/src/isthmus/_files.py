"""Temporary folders, which are removed at the end of a call."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
from typing import Iterator, NoReturn

from ._errors import IsthmusError

_PREFIX = "isthmus-py-"


def make_folder() -> str:
    """Makes a temporary folder that only this user reads."""
    try:
        # Without links, so that it stands in messages as it does here.
        return os.path.realpath(tempfile.mkdtemp(prefix=_PREFIX))
    except OSError as error:
        raise_unwritten("a temporary folder", error)


@contextlib.contextmanager
def temporary_folder() -> Iterator[str]:
    """Makes a temporary folder, and removes it with all that is in it."""
    folder = make_folder()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def raise_unwritten(what: str, error: OSError) -> NoReturn:
    """Raises the error of a file or folder that could not be written."""
    raise IsthmusError(
        f"Cannot hand networks over as {what} must be written: {error}",
        hint="TMPDIR may name a folder that can be written to and has room.",
    ) from error


def without_folders(text: str) -> str:
    """Leaves temporary folders out of the paths in a text."""
    separator = r"(?:/|\\\\|\\)"
    return re.sub(rf"(?:\b[A-Za-z]:)?(?:{separator}[^\s\"'\\/]+)*{separator}{_PREFIX}[a-z0-9_]+{separator}", "", text)
