"""The protocol of federations from the side of a client: HTTP by the standard library, tried again after a loss."""

from __future__ import annotations

import hashlib
import json
import ssl
import time
import urllib.error
import urllib.request
from typing import IO, Any, Callable, Collection, Dict, Mapping, NamedTuple, Optional, Union

from ._errors import IsthmusError

#: Seconds between two attempts, at first and at most.
_PAUSES = (0.25, 10.0)
#: Statuses of a server that is away for a time, or has too much to do.
_AWAY = (429, 500, 502, 503, 504)
#: Statuses of an update that does not count.
_REFUSED = (404, 409, 422)
_OCTETS = "application/octet-stream"


class Refusal(NamedTuple):
    """The server's answer that an update does not count."""

    #: 404: the bytes are not there. 409: the update does not fit the round. 422: the bytes cannot count.
    status: int
    #: Why, for people.
    reason: str


class _Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes

    def error(self) -> str:
        """Returns the server's words; a proxy before it may answer in another form."""
        try:
            return str(json.loads(self.body)["error"])
        except (ValueError, KeyError, TypeError):
            return f"status {self.status}"


class Server:
    """A server of a federation, as one client sees it."""

    def __init__(
        self,
        url: str,
        token: str,
        *,
        patience: float,
        most_bytes: int,
        ca_file: Optional[str],
        tell: Callable[[str], None],
    ) -> None:
        if not url.startswith(("http://", "https://")):
            raise IsthmusError(f'Cannot join a federation at "{url}" as its address must begin with http:// or https://')
        self.url = url.rstrip("/")
        self._token = token.strip()
        self._patience = patience
        self._most = most_bytes
        self._tell = tell
        self._context = ssl.create_default_context(cafile=ca_file) if url.startswith("https:") else None

    def about(self) -> Dict[str, Any]:
        """Reads what does not change."""
        return json.loads(self._ask("GET", "/v1/federation").body)

    def task(self) -> Dict[str, Any]:
        """Asks what to do, and waits for it for some seconds."""
        return json.loads(self._ask("GET", "/v1/rounds/current?wait=20").body)

    def network(self, digest: str) -> bytes:
        """Reads a global network, whose name is the SHA-256 of its bytes."""
        body = self._ask("GET", f"/v1/models/{digest}").body
        found = hashlib.sha256(body).hexdigest()
        if found != digest:
            raise IsthmusError(f"Cannot use the network that the server sent as its SHA-256 must be {digest}: it is {found}")
        return body

    def send(self, number: int, body: bytes, claim: Mapping[str, Any]) -> Optional[Refusal]:
        """Sends an update and lets it count; returns why it does not, or None."""
        digest = hashlib.sha256(body).hexdigest()
        claimed = json.dumps({**claim, "hash": digest}).encode("ascii")
        for left in (2, 1, 0):
            self._upload(body, digest)
            headers = {"Content-Type": "application/json"}
            answer = self._ask("POST", f"/v1/rounds/{number}/updates", claimed, headers, accept=_REFUSED)
            if answer.status not in _REFUSED:
                return None
            # A server that was started again may have lost the bytes: they are sent again.
            if answer.status != 404 or left == 0:
                return Refusal(answer.status, answer.error())
        return None

    def _upload(self, body: bytes, digest: str) -> None:
        """Sends bytes from where an earlier attempt was lost."""
        path = f"/v1/uploads/{digest}"
        for left in (2, 1, 0):
            status = 409
            while status in (408, 409):
                offset = self._ask("HEAD", path).headers["Upload-Offset"]
                headers = {"Content-Type": _OCTETS, "Upload-Offset": offset, "Upload-Length": str(len(body))}
                answer = self._ask("PATCH", path, body[int(offset) :], headers, accept=(408, 409, 422))
                status = answer.status
            if status != 422:
                return
            if left == 0:
                raise IsthmusError(f"Cannot send the update as its bytes must arrive as they are: {answer.error()}")

    def _ask(
        self,
        method: str,
        path: str,
        body: Optional[bytes] = None,
        headers: Optional[Mapping[str, str]] = None,
        accept: Collection[int] = (),
    ) -> _Answer:
        """Returns the answer; asks again as long as the server is away, at most for the time of patience."""
        began, pause = time.monotonic(), _PAUSES[0]
        while True:
            request = urllib.request.Request(self.url + path, data=body, method=method)
            for name, value in {"Authorization": f"Bearer {self._token}", **(headers or {})}.items():
                request.add_header(name, value)
            answer = self._attempt(request, accept)
            if isinstance(answer, _Answer):
                return answer
            left = self._patience - (time.monotonic() - began) - pause
            if left < 0:
                raise IsthmusError(f"Cannot go on with the federation at {self.url} as its server must answer: {answer}")
            self._tell(f"the server does not answer, trying again for {left:.0f} s: {answer}")
            time.sleep(pause)
            pause = min(_PAUSES[1], 2 * pause)

    def _attempt(self, request: urllib.request.Request, accept: Collection[int]) -> Union[_Answer, str]:
        """Returns the answer, or why there is none."""
        try:
            with urllib.request.urlopen(request, timeout=60, context=self._context) as answer:
                return _Answer(answer.status, answer.headers, self._read(answer))
        except urllib.error.HTTPError as error:
            answer = _Answer(error.code, error.headers, self._read(error))
            if error.code in accept:
                return answer
            if error.code in _AWAY:
                return answer.error()
            raise self._refused(answer) from None
        except (OSError, EOFError) as error:  # also lost connections and time-outs
            cause = getattr(error, "reason", error)
            if isinstance(cause, ssl.SSLError):
                self._raise_if_lasting(cause)
            return str(cause)

    def _read(self, answer: IO[bytes]) -> bytes:
        """Reads the body of an answer, up to the bytes that it may have: a server may send without end."""
        body = answer.read(self._most + 1)
        if len(body) > self._most:
            raise IsthmusError(
                f"Cannot go on with the federation at {self.url} as its server's answers must have at most "
                f"{self._most} bytes: one has more",
                hint="If you trust the server, allow more: federate(..., most_bytes=...).",
            )
        return body

    def _refused(self, answer: _Answer) -> IsthmusError:
        hint = None
        if answer.status == 401:
            hint = "The server's owner makes a token by: isthmus federate token NAME --for FILE.yml -o NAME.token"
        return IsthmusError(
            f"Cannot go on with the federation at {self.url} as its server refuses: {answer.error()}", hint=hint
        )

    def _raise_if_lasting(self, error: ssl.SSLError) -> None:
        """Raises the error of a connection that no other attempt would mend."""
        if isinstance(error, ssl.SSLCertVerificationError):
            raise IsthmusError(
                f"Cannot join the federation at {self.url} as the certificate of its server must be trusted: {error}",
                hint='Name it, or that of who signed it: federate(..., ca_file="cert.pem").',
            ) from error
        if error.reason in ("WRONG_VERSION_NUMBER", "PACKET_LENGTH_TOO_LONG", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"):
            plain = self.url.replace("https:", "http:")
            raise IsthmusError(
                f"Cannot join the federation at {self.url} as its server must speak https there: this server speaks http",
                hint=f"Join {plain}, or let the owner of the server set tls.",
            ) from error
