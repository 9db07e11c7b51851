"""The errors of the module."""

from __future__ import annotations

from typing import Any, Mapping, Optional


class IsthmusError(Exception):
    """Something could not be done: the message says what, on what, and by which rule.

    Attributes:
        message: what was attempted, on what, the rule that does not hold and the value that breaks it.
        hint: what to do next in Python; None if the message says all.
        exit_code: exit code of the command: 1 if the work failed or a gate was exceeded, 2 if an argument or an
            input cannot be used, 126 and above if the command could not run or was stopped.
        result: what the command found before it failed, such as the barrier that exceeds a gate; else None.
    """

    def __init__(
        self,
        message: str,
        *,
        hint: Optional[str] = None,
        exit_code: int = 2,
        result: Optional[Mapping[str, Any]] = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.exit_code = exit_code
        self.result = result

    def __str__(self) -> str:
        return self.message if self.hint is None else f"{self.message}\n{self.hint}"


class CommandNotFoundError(IsthmusError):
    """The command `isthmus` does not run, as it, or Node.js, is not installed."""


class ExportError(IsthmusError):
    """A model could not be exported to ONNX; the cause is the error of the exporter."""
