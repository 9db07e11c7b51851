"""The command `isthmus`: where it is, how its options are written, how it is run and stopped, and its errors."""

from __future__ import annotations

import codecs
import contextlib
import json
import logging
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import warnings
from typing import Any, Callable, List, Mapping, Optional, Sequence, Tuple

from ._errors import CommandNotFoundError, IsthmusError
from ._files import without_folders
from ._results import Record
from ._version import __version__

#: Environment variable with the command, such as `node /opt/isthmus/bin/isthmus.js`.
COMMAND_VARIABLE = "ISTHMUS_COMMAND"
_INSTALL = (
    "Install Node.js 20 or newer (https://nodejs.org), then: npm install --global isthmus. "
    f"Or set {COMMAND_VARIABLE} to the command, such as: node /path/to/isthmus/bin/isthmus.js"
)
#: Options that the command takes several times; lists of others are written with commas.
_REPEATED = {"input", "methods", "use"}
#: Seconds that a command has to clean up after it was asked to stop.
_PATIENCE = 10
#: What the command writes before it draws a line of progress anew.
_CLEAR_LINE = "\r\x1b[K"
#: Options that this module sets, which are no advice.
_OF_MODULE = {"help", "help-all", "json", "graph", "exported-from"}
#: What npx says of its own work.
_NPM = ("npm warn", "npm notice", "npm WARN")
#: What the command says of a graph that this module exported itself, which needs no warning.
_FACTS = ("Weights: ", "The graph was exported for ")
_PROGRESS = re.compile(r"(: +\d+ %| \.\.\.)$")

logger = logging.getLogger("isthmus")


def find_command() -> List[str]:
    """Finds the command: ISTHMUS_COMMAND, `isthmus` on the PATH, a project's node_modules, or npx.

    Returns:
        The words that begin a command line.

    Raises:
        CommandNotFoundError: if there is none, and no npx that could fetch it.
    """
    named = os.environ.get(COMMAND_VARIABLE, "").strip()
    if named:
        words = [named] if os.path.exists(named) else shlex.split(named, posix=os.name != "nt")
        return ["node", *words] if len(words) == 1 and words[0].endswith((".js", ".mjs")) else words
    shim = shutil.which("isthmus") or _find_installed(os.getcwd())
    if shim is not None:
        script = _script_of(shim)
        return [shim] if script is None else ["node", script]
    npx = shutil.which("npx")
    if npx is not None and os.name != "nt":
        # The version of this module; without scripts, as that of the engine fails behind proxies.
        return [npx, "--yes", "--ignore-scripts", f"isthmus@{__version__}"]
    raise CommandNotFoundError(
        f"Cannot run isthmus as its command must be installed: {COMMAND_VARIABLE} is not set, and there is no isthmus "
        "on the PATH or in node_modules of this folder or one above it",
        hint=_INSTALL,
        exit_code=127,
    )


def _find_installed(folder: str) -> Optional[str]:
    """Finds the command in node_modules of a folder or the nearest one above it."""
    while True:
        shim = shutil.which("isthmus", path=os.path.join(folder, "node_modules", ".bin"))
        above = os.path.dirname(folder)
        if shim is not None or above == folder:
            return shim
        folder = above


def _script_of(shim: str) -> Optional[str]:
    """Finds the script behind a batch file of npm, as batch files read special characters in arguments as code."""
    if not shim.lower().endswith((".cmd", ".bat")):
        return None
    folder = os.path.dirname(shim)
    for packages in (os.path.join(folder, "node_modules"), os.path.dirname(folder)):
        script = os.path.join(packages, "isthmus", "bin", "isthmus.js")
        if os.path.exists(script):
            return script
    return None


def words_of(options: Mapping[str, Any]) -> List[str]:
    """Writes options as words of a command line: `{"match_steps": 9, "align": True}` as `--match-steps 9 --align`.

    None and False leave an option out; lists have commas between their elements.
    """
    words: List[str] = []
    for name, value in options.items():
        flag = "--" + name.replace("_", "-")
        for text in _texts_of(name, value):
            # A value that begins like an option must not be taken for one.
            words += [flag] if text is None else [f"{flag}={text}"] if text.startswith("-") else [flag, text]
    return words


def _texts_of(name: str, value: Any) -> List[Optional[str]]:
    """Returns the values of an option, one for each time that it is written; None for a flag alone."""
    if value is None or value is False:
        return []
    if value is True:
        return [None]
    if isinstance(value, Mapping):
        return [",".join(f"{key}={_text_of(part)}" for key, part in value.items())]
    if isinstance(value, (list, tuple)):
        texts: List[Optional[str]] = [_text_of(part) for part in value]
        return texts if name in _REPEATED else [",".join(_text_of(part) for part in value)]
    return [_text_of(value)]


def _text_of(value: Any) -> str:
    return os.fspath(value) if isinstance(value, os.PathLike) else str(value)


def path_word(path: Any) -> str:
    """Returns a path as a word that no parser takes for an option."""
    text = os.fspath(path)
    return os.path.join(".", text) if text.startswith("-") else text


def run_verb(
    verb: str,
    words: Sequence[str],
    *,
    progress: Optional[bool] = None,
    keywords: Sequence[str] = (),
) -> Tuple[Record, List[str]]:
    """Runs a verb of the command and returns its result and its notes, such as warnings.

    Args:
        verb: the verb, such as `align`.
        words: its arguments and options.
        progress: whether to show progress; None if standard error is a terminal, or in a notebook.
        keywords: keyword arguments of the function in Python, for hints.

    Raises:
        IsthmusError: if the command fails, or is stopped.
        CommandNotFoundError: if it does not run.
    """
    shows = _shows_progress() if progress is None else progress
    line = [*find_command(), verb, *words, "--json", *([] if shows else ["--quiet"])]
    code, out, err = _run(line, verb, shows)
    out, err = without_folders(out), without_folders(err)
    notes, failure = _read_messages(err, verb)
    for note in notes:
        logger.info("%s", note)
        # Whoever watches the progress has seen it.
        if not shows and not note.startswith(_FACTS):
            warnings.warn(note, stacklevel=_calls_of_module())
    result = _parse(out)
    if code != 0:
        raise _error_of(code, failure, notes, result, keywords)
    if result is None:
        raise IsthmusError(
            f'Cannot read what "{line[0]}" printed as it must be one JSON object: it is {out[:80]!r}',
            hint=f"Is this the command of isthmus? {_INSTALL}",
        )
    return result, notes


def _calls_of_module() -> int:
    """Counts the calls from a warning in `run_verb` up to the code that called this module, which it is to name."""
    folder, level = os.path.dirname(__file__), 1
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith((folder, contextlib.__file__)):
        frame, level = frame.f_back, level + 1
    return level


def _parse(text: str) -> Optional[Record]:
    try:
        value = json.loads(text, object_hook=Record)
    except ValueError:
        return None
    return value if isinstance(value, Record) else None


def _shows_progress() -> bool:
    """Says whether someone watches: standard error is a terminal, or this is a notebook."""
    return _is_terminal() or "ipykernel" in sys.modules


def _is_terminal() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()


def _run(line: Sequence[str], verb: str, shows: bool) -> Tuple[int, str, str]:
    """Runs a command line; returns its exit code and what it printed on both streams."""
    master, writer = _open_screen() if shows and _is_terminal() else (None, subprocess.PIPE)
    try:
        process = subprocess.Popen(
            list(line),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=writer,
            # Ctrl-C of a terminal would reach the command twice, from it and from here, and two end it at once.
            start_new_session=os.name != "nt",
        )
    except OSError as error:
        if master is not None:
            os.close(master)
        raise CommandNotFoundError(
            f'Cannot run "{line[0]}" as it must be a program that starts: {error.strerror or error}',
            hint=_INSTALL,
            exit_code=127,
        ) from error
    finally:
        if master is not None:
            os.close(writer)
    reader = master if master is not None else process.stderr.fileno()  # type: ignore[union-attr]
    heard: List[str] = []
    listener = threading.Thread(target=_listen, args=(reader, heard, verb if shows else None), daemon=True)
    listener.start()
    try:
        with process.stdout:  # type: ignore[union-attr]
            out = process.stdout.read()  # type: ignore[union-attr]
        code = process.wait()
    except BaseException:
        _stop(process)
        raise
    finally:
        listener.join(timeout=_PATIENCE)
        if master is not None:
            os.close(master)
        else:
            process.stderr.close()  # type: ignore[union-attr]
    return code, out.decode("utf-8", "replace"), "".join(heard)


def _open_screen() -> Tuple[Optional[int], int]:
    """Opens a screen as wide as the terminal, on which the command draws its progress while it is listened to."""
    try:
        import fcntl
        import pty
        import struct
        import termios
    except ImportError:
        return None, subprocess.PIPE
    master, slave = pty.openpty()
    columns, rows = shutil.get_terminal_size()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    return master, slave


def _listen(reader: int, heard: List[str], shown: Optional[str]) -> None:
    """Keeps what the command says, and shows it except for the error, which is raised; `shown` is the verb."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    error = re.compile(rf"(?m)^((?:\r\x1b\[K)*)isthmus(?: {re.escape(shown or '')})?: .*\r?\n")
    waiting = ""
    while True:
        try:
            data = os.read(reader, 65536)
        except OSError:  # A screen ends so on Linux.
            data = b""
        text = decoder.decode(data, not data)
        heard.append(text)
        if shown is not None and sys.stderr is not None:
            waiting += text
            # The beginning of an error waits for its end.
            start = waiting.rfind("\n") + 1
            line = waiting[start:].replace(_CLEAR_LINE, "")
            ready = start if data and line and "isthmus".startswith(line[:7]) else len(waiting)
            sys.stderr.write(without_folders(error.sub(r"\1", waiting[:ready])))
            sys.stderr.flush()
            waiting = waiting[ready:]
        if not data:
            return


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Asks a command to clean up and end, and ends it if it does not."""
    send: Callable[[int], None] = process.send_signal
    if os.name != "nt":
        send = lambda number: os.killpg(process.pid, number)  # noqa: E731 - npx has a child
    try:
        send(signal.SIGINT if os.name != "nt" else signal.SIGTERM)
        process.wait(timeout=_PATIENCE)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        pass
    except ProcessLookupError:
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        send(getattr(signal, "SIGKILL", signal.SIGTERM))
    process.wait()


def _read_messages(text: str, verb: str) -> Tuple[List[str], Optional[str]]:
    """Returns the notes on standard error without lines of progress, and the message of the error if there is one."""
    lines: List[str] = []
    for drawn in text.replace("\r\n", "\n").split(_CLEAR_LINE):
        # A line that is to be replaced has no end: it is progress.
        lines += drawn.split("\n")[:-1]
    if not lines and text.strip():
        lines = text.strip().split("\n")
    start = re.compile(rf"isthmus(?: {re.escape(verb)})?: ")
    at = next((i for i, line in enumerate(lines) if start.match(line)), len(lines))
    failure = start.sub("", "\n".join(lines[at:]).strip(), count=1) or None
    kept = [line for line in lines[:at] if line.strip() and not _PROGRESS.search(line) and not line.startswith(_NPM)]
    return kept, failure


def _error_of(
    code: int, failure: Optional[str], notes: List[str], result: Optional[Record], keywords: Sequence[str]
) -> IsthmusError:
    """Makes the error of a command that failed."""
    if code < 0:
        name = signal.Signals(-code).name
        memory = " The system does so if memory runs out." if name == "SIGKILL" else ""
        message = f"Cannot go on as the command was stopped by {name}.{memory}"
        return IsthmusError(message, exit_code=128 - code)
    if failure is None and (code in (126, 127) or any(note.startswith("npm ") for note in notes)):
        said = "; ".join(notes) or f"exit code {code}"
        return CommandNotFoundError(f"Cannot run the command isthmus: {said}", hint=_INSTALL, exit_code=code)
    if failure is not None and failure.startswith("stopped by "):
        return IsthmusError(f"Cannot go on as the command was {failure}", exit_code=code)
    message = failure or "; ".join(notes[-5:]) or f"The command ended with exit code {code} and said nothing"
    return IsthmusError(message, hint=hint_of(message, keywords), exit_code=code, result=result)


def hint_of(message: str, keywords: Sequence[str]) -> Optional[str]:
    """Says how the options that a message names are written in Python; None if it names none."""
    if 'has no "weight"' in message and "weights" in keywords:
        return "In Python: weights=[...], one number for each network"
    unknown = re.match(r"Unknown option '--[a-z-]+'", message)
    flags = re.findall(r"(?<!\w)--([a-z][a-z-]*)", message[unknown.end() :] if unknown else message)
    names = [flag.replace("-", "_") for flag in flags if flag not in _OF_MODULE]
    if not names:
        return "Options are written with underscores; isthmus VERB --help-all lists them." if unknown else None
    spelled: List[str] = []
    for name in dict.fromkeys(names):
        value = "True" if name.startswith(("no_", "allow_")) else "..."
        spelled.append(f"{name}={value}" if name in keywords else f'options={{"{name}": {value}}}')
    return f"In Python: {', '.join(spelled)}"
