"""A client of a federation in one file: the standard library speaks to the server, PyTorch trains.

    python client.py http://127.0.0.1:8080 --token-file anna.token --images train-images-idx3-ubyte.gz --labels train-labels-idx1-ubyte.gz --begin 0 --end 6000

The network must be a multilayer perceptron as `isthmus train --net mlp:...` makes it: layers.0.weight, layers.0.bias, layers.1.weight ...
For another network, change `forward`. Needs: pip install torch safetensors
"""

import argparse
import gzip
import hashlib
import json
import os
import ssl
import struct
import sys
import time
import urllib.error
import urllib.request

import torch
from safetensors.torch import load_file, save_file

PATIENCE = 600  # seconds for which the server may be away


class Server:
    """The protocol of docs/federated-protocol.md; lost connections are tried again."""

    def __init__(self, url, token):
        self.url, self.token = url.rstrip("/"), token

    def ask(self, method, path, body=None, headers=None, accept=()):
        """Returns status, headers and body; statuses from 400 on raise, unless they are accepted."""
        began, pause = time.monotonic(), 0.25
        while True:
            request = urllib.request.Request(self.url + path, data=body, method=method)
            request.add_header("Authorization", f"Bearer {self.token}")
            for name, value in (headers or {}).items():
                request.add_header(name, value)
            try:
                with urllib.request.urlopen(request, timeout=60) as answer:
                    return answer.status, answer.headers, answer.read()
            except urllib.error.HTTPError as error:
                text = error.read()
                if error.code in accept:
                    return error.code, error.headers, text
                if error.code < 500 and error.code != 429:
                    sys.exit(f"the server refuses: {text.decode(errors='replace')}")
                reason = f"status {error.code}"
            except OSError as error:  # also lost connections and time-outs
                if isinstance(getattr(error, "reason", error), ssl.SSLCertVerificationError):
                    # Another try would find the same certificate.
                    sys.exit(f"the server's certificate is not trusted: {error}; name it, or that of who signed it: SSL_CERT_FILE=cert.pem")
                reason = str(error)
            if time.monotonic() - began > PATIENCE:
                sys.exit(f"the server is away: {reason}")
            print(f"trying again: {reason}", file=sys.stderr)
            time.sleep(pause)
            pause = min(10, 2 * pause)

    def json(self, path):
        return json.loads(self.ask("GET", path)[2])

    def download(self, digest, path):
        """Reads a global network; the name is the SHA-256 of its bytes."""
        body = self.ask("GET", f"/v1/models/{digest}")[2]
        if hashlib.sha256(body).hexdigest() != digest:
            sys.exit("the network has another SHA-256 than its name")
        with open(path, "wb") as file:
            file.write(body)

    def upload(self, body, digest):
        """Sends the bytes of an update from where an earlier attempt was lost."""
        while True:
            offset = int(self.ask("HEAD", f"/v1/uploads/{digest}")[1]["Upload-Offset"])
            headers = {
                "Content-Type": "application/octet-stream",
                "Upload-Offset": str(offset),
                "Upload-Length": str(len(body)),
            }
            status = self.ask("PATCH", f"/v1/uploads/{digest}", body[offset:], headers, accept=(408, 409))[0]
            if status == 204:
                return

    def send(self, number, claim):
        """Lets uploaded bytes count; returns why they do not, or None."""
        body = json.dumps(claim).encode()
        headers = {"Content-Type": "application/json"}
        status, _, text = self.ask("POST", f"/v1/rounds/{number}/updates", body, headers, accept=(404, 409, 422))
        return None if status == 200 else json.loads(text)["error"]


def read_idx(path):
    """Reads a file of MNIST: two zero bytes, the type, the number of axes, their lengths, then bytes."""
    with (gzip.open if path.endswith(".gz") else open)(path, "rb") as file:
        data = file.read()
    axes = data[3]
    shape = struct.unpack(f">{axes}I", data[4 : 4 + 4 * axes])
    return torch.frombuffer(bytearray(data[4 + 4 * axes :]), dtype=torch.uint8).reshape(shape)


def forward(weights, images):
    """Runs a multilayer perceptron with ReLU between its layers."""
    layers = sorted({int(name.split(".")[1]) for name in weights})
    hidden = images.flatten(1)
    for layer in layers:
        hidden = hidden @ weights[f"layers.{layer}.weight"].T + weights[f"layers.{layer}.bias"]
        if layer != layers[-1]:
            hidden = hidden.relu()
    return hidden


def train(weights, images, labels, advice, seed):
    """Trains in place as the server suggests; returns the loss before the first step."""
    for weight in weights.values():
        weight.requires_grad_(True)
    rate = advice["learningRate"] or (0.05 if advice["optimizer"] == "sgd" else 0.001)
    kinds = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW}
    more = {"momentum": advice["momentum"]} if advice["optimizer"] == "sgd" else {}
    optimizer = kinds[advice["optimizer"]](weights.values(), lr=rate, **more)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        before = torch.nn.functional.cross_entropy(forward(weights, images), labels).item()
    for _ in range(advice["epochs"]):
        for places in torch.randperm(len(images), generator=generator).split(advice["batch"] or 128):
            loss = torch.nn.functional.cross_entropy(forward(weights, images[places]), labels[places])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return before


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("url")
    parser.add_argument("--token-file", required=True)
    parser.add_argument("--images", required=True)
    parser.add_argument("--labels", required=True)
    parser.add_argument("--begin", type=int, default=0)
    parser.add_argument("--end", type=int, default=None)
    parser.add_argument("--output", default="received.safetensors")
    options = parser.parse_args()

    with open(options.token_file) as file:
        server = Server(options.url, file.read().strip())
    about = server.json("/v1/federation")
    if about["secure"] or (about["privacy"] or {}).get("at") == "clients":
        # An update without its mask or its noise would tell what the federation promises to hide.
        sys.exit("This client neither masks its update nor adds noise, as the federation asks: use isthmus federate join")
    keep, own = set(about["keep"]), {}
    images = (read_idx(options.images)[options.begin : options.end].float() / 255 - 0.1307) / 0.3081
    labels = read_idx(options.labels)[options.begin : options.end].long()
    path = f"{about['client']}.global.safetensors"
    print(f"joined {about['name']!r} as {about['client']}, {len(images)} examples")
    while True:
        task = server.json("/v1/rounds/current?wait=20")
        if task["task"] == "wait":
            continue
        server.download(task["network"], path)
        weights = load_file(path) | own
        if task["task"] == "finished":
            save_file(weights, options.output)
            os.remove(path)
            print(f"finished: {options.output}")
            return
        loss = train(weights, images, labels, about["training"], seed=task["round"])
        trained = {name: weight.detach().contiguous() for name, weight in weights.items()}
        own = {name: weight for name, weight in trained.items() if name in keep}
        shared = {name: weight for name, weight in trained.items() if name not in keep}
        save_file(shared, path)
        with open(path, "rb") as file:
            body = file.read()
        digest = hashlib.sha256(body).hexdigest()
        server.upload(body, digest)
        refusal = server.send(task["round"], {"hash": digest, "examples": len(images), "loss": loss})
        print(f"round {task['round']}: loss {loss:.4f}, {refusal or 'counted'}", flush=True)


if __name__ == "__main__":
    main()
