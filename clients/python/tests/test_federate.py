"""The protocol of federations, with a server that stands in for the real one, without PyTorch."""

import hashlib
import http.server
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import threading
import unittest
from unittest import mock

import isthmus
from isthmus import _adapters, _federate, _server

try:
    import torch
except ImportError:
    torch = None

try:
    import peft
except ImportError:
    peft = None

NETWORK = b"the network of the round"
DIGEST = hashlib.sha256(NETWORK).hexdigest()
ABOUT = {
    "name": "digits", "client": "anna", "rounds": 1, "keep": [], "secure": False, "privacy": None,
    "training": {"epochs": 1, "proximal": 0},
}  # fmt: skip


class FakeServer:
    """Answers as a server does whose updates meet with these statuses, one after another."""

    def __init__(self, *statuses, about=ABOUT, troubles=0):
        self.statuses, self.about, self.troubles = list(statuses), about, troubles
        self.claims, self.uploads, self.bodies = [], 0, {}
        fake = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def answer(self, status, body=b"", **headers):
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            def say(self, value, status=200):
                self.answer(status, json.dumps(value).encode())

            def handle_any(self):
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length)
                if self.headers["Authorization"] != "Bearer anna.secret":
                    return self.say({"error": "no such token"}, 401)
                if fake.troubles > 0:
                    fake.troubles -= 1
                    # Now the connection is lost, now a proxy answers in the place of the server.
                    return self.answer(503) if fake.troubles % 2 else self.close_connection
                return fake.reply(self, body)

            do_GET = do_HEAD = do_PATCH = do_POST = handle_any

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def reply(self, request, body):
        path = request.path.split("?")[0]
        there = self.bodies.get(path, b"")
        if path == "/v1/federation":
            return request.say(self.about)
        if path == "/v1/rounds/current":
            if self.statuses:
                return request.say({"task": "train", "round": 1, "network": DIGEST, "secondsLeft": 60, "reason": None})
            return request.say({"task": "finished", "round": None, "network": DIGEST, "reason": None})
        if path == f"/v1/models/{DIGEST}":
            return request.answer(200, NETWORK)
        if request.command == "HEAD":
            return request.answer(200, Upload_Offset=str(len(there)))
        if request.command == "PATCH":
            # The first half arrives alone.
            self.bodies[path] = there + (body[: len(body) // 2] if there == b"" else body)
            whole = len(self.bodies[path]) == int(request.headers["Upload-Length"])
            self.uploads += whole
            return request.answer(204 if whole else 408)
        claim = json.loads(body)
        self.claims.append((claim, self.bodies.pop(f"/v1/uploads/{claim['hash']}")))
        status = self.statuses.pop(0)
        return request.say({"error": f"refused by {status}"} if status != 200 else {}, status)


class Protocol(unittest.TestCase):
    def setUp(self):
        for name, value in (("_server._PAUSES", (0.01, 0.02)), ("_federate._UNTIMELY_PAUSE", 0.01)):
            patch = mock.patch(f"isthmus.{name}", value)
            patch.start()
            self.addCleanup(patch.stop)
        self.told, self.rounds, self.counts = [], [], 0

    def serve(self, *statuses, **more):
        fake = FakeServer(*statuses, **more)
        self.addCleanup(fake.http.server_close)
        self.addCleanup(fake.http.shutdown)
        return fake

    def take_part(self, fake, *, token="anna.secret", patience=60, most_bytes=10**6, url=None, trained=(6, 0.5)):
        bounds = {"patience": patience, "most_bytes": most_bytes}
        server = _server.Server(url or fake.url, token, **bounds, ca_file=None, tell=self.told.append)
        about = _federate._joined(server, self.told.append)

        def make(network, task):
            self.rounds.append((network, task.number, task.attempt))
            return b"update %d" % len(self.rounds), trained

        def count():
            self.counts += 1

        return _federate.take_part(server, about, make, count, self.told.append)

    def test_an_update_is_sent_in_pieces_and_counts(self):
        fake = self.serve(200)
        self.assertEqual(self.take_part(fake), NETWORK)
        digest = hashlib.sha256(b"update 1").hexdigest()
        self.assertEqual(fake.claims, [({"hash": digest, "examples": 6, "loss": 0.5}, b"update 1")])
        self.assertEqual((self.rounds, self.counts), ([(NETWORK, 1, 1)], 1))

    def test_lost_connections_and_a_proxy_are_waited_for(self):
        self.assertEqual(self.take_part(self.serve(200, troubles=6)), NETWORK)
        self.assertEqual(sum("trying again for" in line for line in self.told), 6)

    def test_bytes_that_the_server_lost_are_sent_again_in_silence(self):
        fake = self.serve(404, 200)
        self.take_part(fake)
        self.assertEqual([body for _, body in fake.claims], [b"update 1"] * 2)
        self.assertEqual(self.told, ['joined "digits" as anna, of 1 rounds', "round 1: sent"])

    def test_an_update_that_does_not_fit_the_round_is_sent_again_without_training(self):
        fake = self.serve(409, 200)
        self.take_part(fake)
        self.assertEqual([body for _, body in fake.claims], [b"update 1"] * 2)
        self.assertEqual(len(self.rounds), 1)

    def test_a_refusal_for_good_is_answered_by_one_training_anew(self):
        fake = self.serve(422, 200)
        self.take_part(fake)
        self.assertEqual([body for _, body in fake.claims], [b"update 1", b"update 2"])
        self.assertEqual([attempt for _, _, attempt in self.rounds], [1, 2])
        self.assertEqual(self.counts, 1)

    def test_a_second_refusal_for_good_ends_it(self):
        fake = self.serve(422, 422, 200)
        with self.assertRaisesRegex(isthmus.IsthmusError, "trained anew after a refusal: refused by 422"):
            self.take_part(fake)
        self.assertEqual(len(fake.claims), 2)

    def test_a_private_federation_is_told_no_loss_and_noise_of_clients_is_refused(self):
        fake = self.serve(200, about={**ABOUT, "privacy": {"at": "server"}})
        self.take_part(fake)
        self.assertNotIn("loss", fake.claims[0][0])
        for more in ({"privacy": {"at": "clients"}}, {"secure": True}):
            with self.assertRaisesRegex(isthmus.IsthmusError, "mask their updates or add noise"):
                self.take_part(self.serve(200, about={**ABOUT, **more}))

    def test_an_answer_that_is_too_large_is_not_read(self):
        most = len(json.dumps(ABOUT)) - 1
        with self.assertRaisesRegex(isthmus.IsthmusError, f"at most {most} bytes: one has more\nIf you trust"):
            self.take_part(self.serve(200), most_bytes=most)

    def test_a_wrong_token_a_lost_server_and_http_by_https_end_it(self):
        fake = self.serve(200)
        with self.assertRaisesRegex(isthmus.IsthmusError, "refuses: no such token\nThe server's owner makes a token"):
            self.take_part(fake, token="anna.wrong")
        with self.assertRaisesRegex(isthmus.IsthmusError, "this server speaks http"):
            self.take_part(fake, url=fake.url.replace("http:", "https:"))
        with self.assertRaisesRegex(isthmus.IsthmusError, "its server must answer"):
            self.take_part(fake, url="http://127.0.0.1:1", patience=0.05)
        with self.assertRaisesRegex(isthmus.IsthmusError, "must begin with http"):
            self.take_part(fake, url="127.0.0.1:8080")


@unittest.skipIf(torch is None or not os.environ.get("ISTHMUS_COMMAND"), "there is no PyTorch, or no command")
class RealServer(unittest.TestCase):
    def command(self, *words):
        return subprocess.Popen(
            [*shlex.split(os.environ["ISTHMUS_COMMAND"]), "federate", *words],
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = scratch.name

    def serve(self, text):
        """Serves a federation by its file; returns the tokens of two clients, the address, and the process."""
        with open(os.path.join(self.folder, "f.yml"), "w") as file:
            file.write(text)
        tokens = {}
        for name in ("anna", "bert"):
            out, err = self.command("token", name, "--for", "f.yml").communicate(timeout=120)
            tokens[name] = out.strip()
            self.assertNotEqual(tokens[name], "", err)
        server = self.command("serve", "f.yml", "-o", "final.safetensors", "--linger", "5")
        self.addCleanup(server.stderr.close)
        self.addCleanup(server.stdout.close)
        self.addCleanup(server.kill)
        url = None
        for line in server.stderr:
            url = re.search(r"address for clients: (\S+)", line)
            if url is not None:
                break
        threading.Thread(target=server.stderr.read, daemon=True).start()
        return tokens, url.group(1), server

    def run_clients(self, client, tokens):
        clients = [threading.Thread(target=client, args=(name, i)) for i, name in enumerate(tokens)]
        for thread in clients:
            thread.start()
        for thread in clients:
            thread.join(timeout=300)

    @unittest.skipIf(peft is None, "there is no PEFT")
    def test_adapters_of_two_ranks_meet_as_products(self):
        from safetensors.torch import load_file, save_file

        def network(rank, alpha=8):
            torch.manual_seed(0)
            base = torch.nn.Sequential(torch.nn.Linear(2, 16), torch.nn.Tanh(), torch.nn.Linear(16, 2))
            return peft.get_peft_model(base, peft.LoraConfig(r=rank, lora_alpha=alpha, target_modules=["0", "2"]))

        start = network(4)
        save_file(peft.get_peft_model_state_dict(start), os.path.join(self.folder, "start.safetensors"))
        tokens, url, server = self.serve(
            "network: start.safetensors\nrounds: 3\nport: 0\nlimits: { rank: 6 }\n"
            "strategy: { adapters: { alpha: 8 } }\ntraining: { learningRate: 0.05 }\n"
        )
        # Made here, as the seed of PyTorch is one for all threads.
        models = {"anna": network(2), "bert": network(6)}
        results, outputs = {}, {}
        x = torch.randn(200, 2, generator=torch.Generator().manual_seed(0))
        y = (x.prod(1) > 0).long()

        def client(name, seed):
            def fit(model, task):
                outputs.setdefault(name, []).append(model(x).detach())
                optimizer = torch.optim.Adam(model.parameters(), lr=task.training["learningRate"])
                for _ in range(30):
                    optimizer.zero_grad()
                    torch.nn.functional.cross_entropy(model(x), y).backward()
                    optimizer.step()
                return len(x)

            isthmus.federate(url, tokens[name], models[name], fit, progress=False)
            results[name] = models[name](x).detach()

        self.run_clients(client, tokens)
        self.assertEqual(sorted(results), ["anna", "bert"])
        self.assertEqual(server.wait(timeout=60), 0)
        # The client of the larger rank computes what PyTorch does with the server's own adapter.
        final = network(4)
        peft.set_peft_model_state_dict(final, load_file(os.path.join(self.folder, "final.safetensors")))
        self.assertLess((final(x) - results["bert"]).abs().max().item(), 1e-5)
        self.assertTrue(torch.equal(outputs["anna"][0], outputs["bert"][0]))
        self.assertLess(torch.nn.functional.cross_entropy(final(x), y).item(), 0.6)
        wrong = {"name": "f", "adapters": {"alpha": 4, "rankStabilized": False, "rank": None}}
        state = peft.get_peft_model_state_dict(network(4))
        for model, about, reason in (
            (network(2), wrong, "lora_alpha must be 4"),
            (network(6), wrong, "may have rank 4: the model's has 6"),
            (network(2), {"name": "f"}, "must have rank 4: the model's has 2"),
        ):
            with self.assertRaisesRegex(isthmus.IsthmusError, reason):
                _adapters.load_adapter(model, state, about)

    def test_two_clients_with_batch_norm_train_a_network_and_keep_their_statistics(self):
        def network():
            norm = torch.nn.BatchNorm1d(16)
            return torch.nn.Sequential(torch.nn.Linear(2, 16), norm, torch.nn.ReLU(), torch.nn.Linear(16, 2))

        torch.manual_seed(0)
        torch.save(network().state_dict(), os.path.join(self.folder, "start.pt"))
        tokens, url, server = self.serve(
            "network: start.pt\nrounds: 3\nport: 0\nstrategy: fedprox\n"
            "training: { learningRate: 0.05, proximal: 0.001 }\n"
        )
        results, seen = {}, []

        def client(name, seed):
            generator = torch.Generator().manual_seed(seed)
            x = torch.randn(200, 2, generator=generator)
            y = (x[:, 0] > 0).long()

            def fit(model, task):
                seen.append(task.training["proximal"])
                model.eval()
                with torch.no_grad():
                    before = torch.nn.functional.cross_entropy(model(x), y).item()
                model.train()
                optimizer = torch.optim.SGD(model.parameters(), lr=task.training["learningRate"], momentum=0.9)
                for _ in range(20):
                    optimizer.zero_grad()
                    torch.nn.functional.cross_entropy(model(x), y).backward()
                    optimizer.step()
                return len(x), before

            model = network()
            state = isthmus.federate(url, tokens[name], model, fit, progress=False)
            model.eval()
            with torch.no_grad():
                results[name] = (state, torch.nn.functional.cross_entropy(model(x), y).item())

        self.run_clients(client, tokens)
        self.assertEqual(sorted(results), ["anna", "bert"])
        self.assertEqual(seen, [0.001] * 6)
        (anna, loss), (bert, _) = results["anna"], results["bert"]
        self.assertLess(loss, 0.3)
        for name in anna:
            self.assertTrue(torch.equal(anna[name], bert[name]), name)
        # Counters of batches are whole numbers: each client counts on in its own.
        self.assertEqual(anna["1.num_batches_tracked"].item(), 60)
        self.assertEqual(server.wait(timeout=60), 0)


if __name__ == "__main__":
    sys.exit(unittest.main())
