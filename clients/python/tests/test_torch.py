"""Networks of PyTorch on their way through the command: what it computes is compared with PyTorch itself."""

import copy
import os
import tempfile
import unittest
from unittest import mock

import isthmus

try:
    import torch
    from torch import nn
except ImportError:
    torch = None

COMMAND = os.environ.get("ISTHMUS_COMMAND", "")
OLDER = {"dynamo": False}

if torch is not None:
    from .networks import (
        Autoencoder,
        Convolutional,
        MultilayerPerceptron,
        NamedInputs,
        TiedLanguageModel,
        Transformer,
        WithUnused,
        loss_of,
        mean_of,
        outputs_of,
        recalibrated,
    )


@unittest.skipIf(torch is None or not COMMAND, "PyTorch is not installed, or ISTHMUS_COMMAND names no command")
class Networks(unittest.TestCase):
    """Every network is aligned, merged and measured, and each number is compared with PyTorch's."""

    def check(self, make, *, options=None, cast=None, tolerance=1e-5, merged=1e-6, exporter="torchscript"):
        torch.manual_seed(0)
        networks = [make() for _ in range(2)]
        for network in networks:
            network.shake()
            if cast is not None:
                network.to(cast)
        (a, b), model = [copy.deepcopy(network.state_dict()) for network in networks], networks[0]
        inputs, labels = make.data(64)
        example = {name: value[:2] for name, value in inputs.items()} if isinstance(inputs, dict) else inputs[:2]
        with isthmus.export(model, example, weights=a, options=OLDER if exporter == "torchscript" else None) as graph:
            self.assertEqual(graph.exporter, exporter)
            aligned = isthmus.align(graph, a, b, options=options, restarts=2)
            joined = isthmus.merge(graph, [a, b], align=True, options={**(options or {}), "restarts": 2})
            result = isthmus.barrier(
                graph, a, b, data=(inputs, labels), align=True, points=3, options={**(options or {}), "restarts": 2}
            )
        self.assertEqual([(name, value.dtype) for name, value in aligned.items()], [(n, v.dtype) for n, v in b.items()])
        self.assertTrue(any(not torch.equal(aligned[name], b[name]) for name in b), "nothing was permuted")
        before, after = outputs_of(make, b, inputs), outputs_of(make, aligned, inputs)
        self.assertLess((before - after).abs().max().item(), tolerance)
        expected = mean_of(a, aligned)
        unread = [name for name in a if name.startswith("unused")]
        for name in set(a) - set(unread):
            self.assertLess((joined[name].float() - expected[name].float()).abs().max().item(), merged, name)
        middle = recalibrated(make, expected, inputs) if result.statistics == "recalibrate" else expected
        for point, weights in zip(result.points, (a, middle, aligned)):
            self.assertAlmostEqual(point.loss, loss_of(make, weights, inputs, labels), delta=tolerance)
        return aligned, result

    def test_a_multilayer_perceptron(self):
        aligned, result = self.check(MultilayerPerceptron)
        self.assertTrue(aligned.result.verified.passed)
        self.assertEqual(result.examples, 64)

    def test_by_the_newer_exporter(self):
        try:
            import onnxscript  # noqa: F401
        except ImportError:
            self.skipTest("onnxscript is not installed")
        self.check(MultilayerPerceptron, exporter="dynamo")

    def test_a_convolutional_network_with_batch_norms(self):
        aligned, _ = self.check(Convolutional)
        self.assertEqual(aligned["norm.num_batches_tracked"].item(), 3)

    def test_a_transformer(self):
        self.check(Transformer)

    def test_an_autoencoder_by_squared_errors(self):
        _, result = self.check(Autoencoder)
        self.assertEqual(result.lossKind, "mean-squared-error")

    def test_weights_in_bfloat16(self):
        # The merged network is rounded to 8 bits.
        self.check(MultilayerPerceptron, cast=torch.bfloat16, merged=5e-3)

    def test_a_tied_weight_stays_tied(self):
        aligned, _ = self.check(TiedLanguageModel)
        self.assertEqual(aligned["embedding.weight"].data_ptr(), aligned["head.weight"].data_ptr())

    def test_unused_parameters_are_kept_if_asked(self):
        with self.assertRaises(isthmus.IsthmusError) as caught:
            self.check(WithUnused)
        self.assertIn('options={"unread"', caught.exception.hint)
        self.check(WithUnused, options={"unread": "keep"})

    def test_several_inputs_by_name_and_a_dict_of_outputs(self):
        self.check(NamedInputs)


@unittest.skipIf(torch is None or not COMMAND, "PyTorch is not installed, or ISTHMUS_COMMAND names no command")
class Trainings(unittest.TestCase):
    def setUp(self):
        torch.manual_seed(1)
        self.model = MultilayerPerceptron()
        self.a, self.b = MultilayerPerceptron().state_dict(), MultilayerPerceptron().state_dict()
        self.inputs, self.labels = MultilayerPerceptron.data(40)

    def test_the_model_and_chance_stay_as_they_were(self):
        import random

        model = Convolutional().train()
        inputs, labels = Convolutional.data(8)
        nn.functional.cross_entropy(model(inputs), labels).backward()
        model.norm.eval()
        state = copy.deepcopy(model.state_dict())
        gradients = {name: parameter.grad.clone() for name, parameter in model.named_parameters()}
        modes = [module.training for module in model.modules()]
        chance = torch.get_rng_state(), random.getstate()
        with torch.inference_mode(), torch.autocast("cpu"):
            isthmus.export(model, inputs, options=OLDER).close()
        for name, value in model.state_dict().items():
            self.assertTrue(torch.equal(value, state[name]), name)
        for name, parameter in model.named_parameters():
            self.assertTrue(torch.equal(parameter.grad, gradients[name]), name)
            self.assertEqual(parameter.device.type, "cpu")
        self.assertEqual([module.training for module in model.modules()], modes)
        self.assertTrue(torch.equal(torch.get_rng_state(), chance[0]))
        self.assertEqual(random.getstate(), chance[1])

    def test_a_loader_is_read_and_its_generator_put_back(self):
        generator = torch.Generator().manual_seed(3)
        before = generator.get_state()
        data = torch.utils.data.TensorDataset(self.inputs, self.labels)
        loader = torch.utils.data.DataLoader(data, 16, shuffle=True, generator=generator)
        shuffled = isthmus.barrier(self.model, self.a, self.b, data=loader, points=3, export=OLDER)
        self.assertTrue(torch.equal(generator.get_state(), before))
        pair = isthmus.barrier(self.model, self.a, self.b, data=(self.inputs, self.labels), points=3, export=OLDER)
        self.assertAlmostEqual(shuffled.points[0].loss, pair.points[0].loss, places=9)
        self.assertEqual(list(pair.figures()), ["loss.svg", "error.svg"])
        self.assertIn("<svg", pair._repr_html_())

    def test_several_networks_and_prefixes_of_wrappers(self):
        prefixed = {f"module.{name}": value for name, value in self.b.items()}
        with isthmus.export(nn.DataParallel(self.model), self.inputs[:1], options=OLDER) as graph:
            aligned = isthmus.align(graph, self.a, [prefixed, self.b])
            self.assertEqual([list(network) for network in aligned], [list(prefixed), list(self.b)])
            self.assertIsNot(aligned[0].result, aligned[1].result)
            with tempfile.TemporaryDirectory() as out:
                kept = isthmus.align(graph, self.a, self.b, out=os.path.join(out, "folder"), restarts=1)
                sharded = isthmus.merge(
                    graph, [self.a, kept], out=os.path.join(out, "merged"), options={"max_shard_size": "1KB"}
                )
                self.assertGreater(len(os.listdir(os.path.join(out, "merged"))), 2)
            self.assertEqual((list(kept), list(sharded)), (list(self.b), list(self.a)))
            folder = graph.folder
        self.assertFalse(os.path.exists(folder))

    def test_what_is_saved_is_read_without_this_module(self):
        merged = isthmus.merge(None, [self.a, self.b], weights=[0.7, 0.3])
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "merged.pt")
            torch.save(merged, path)
            loaded = torch.load(path, weights_only=True)
        self.assertEqual(type(loaded).__module__, "collections")
        for name, value in loaded.items():
            self.assertLess((value - 0.7 * self.a[name] - 0.3 * self.b[name]).abs().max().item(), 1e-6)

    def test_methods_of_recipes_and_paths(self):
        base = self.a
        tuned = [{name: value + 0.1 * torch.randn_like(value) for name, value in base.items()} for _ in range(3)]
        merged = isthmus.merge(self.model, tuned, method="task_arithmetic", base=base, weights=[1, 1, 1])
        for name, value in merged.items():
            expected = base[name] + sum(network[name] - base[name] for network in tuned)
            self.assertLess((value - expected).abs().max().item(), 1e-5)
        with tempfile.TemporaryDirectory() as folder:
            paths = [os.path.join(folder, name) for name in ("a.pt", "b.pt")]
            for path, network in zip(paths, tuned):
                torch.save(network, path)
            out = os.path.join(folder, "merged.safetensors")
            self.assertEqual(isthmus.merge(*paths, out=out).output.files, [out])
            self.assertEqual(isthmus.compare(*paths).verdict, isthmus.compare(*tuned[:2]).verdict)

    def test_a_new_module_merges_files_and_says_what_they_lack(self):
        networks = [Convolutional(), Convolutional()]
        inputs, labels = Convolutional.data(64)
        with tempfile.TemporaryDirectory() as folder:
            paths = [os.path.join(folder, name) for name in ("a.pt", "b.pt")]
            for path, network in zip(paths, networks):
                network.shake()
                torch.save(network.state_dict(), path)
            how = {"align": True, "options": {"restarts": 2}, "progress": False}
            with self.assertWarnsRegex(UserWarning, "1 batch norm: their statistics are averaged") as said:
                merged = isthmus.merge(Convolutional(), paths, inputs[:2], **how)
            self.assertEqual(said.filename, __file__)
            aligned = isthmus.align(Convolutional(), *paths, inputs[:2], options={"restarts": 2})
            expected = mean_of(networks[0].state_dict(), aligned)
            for name, value in merged.items():
                self.assertLess((value.float() - expected[name].float()).abs().max().item(), 1e-6, name)

    def test_types_of_all_kinds_come_back(self):
        types = (torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int16, torch.uint8, torch.bool)
        state = {str(dtype): torch.tensor([1, 0, 1]).to(dtype) for dtype in types}
        state.update(scalar=torch.tensor(5), empty=torch.zeros(0, 3), turned=torch.randn(4, 5).t())
        state.update({"../x": torch.randn(10)[::3], "<b>" * 1000: torch.randn(1, 3).expand(4, 3)})
        for name, value in isthmus.merge(None, [state, state]).items():
            self.assertEqual((value.dtype, value.shape), (state[name].dtype, state[name].shape), name)
            self.assertTrue(torch.equal(value, state[name]), name)


@unittest.skipIf(torch is None or not COMMAND, "PyTorch is not installed, or ISTHMUS_COMMAND names no command")
class Faults(unittest.TestCase):
    def setUp(self):
        torch.manual_seed(2)
        self.a, self.b = MultilayerPerceptron().state_dict(), MultilayerPerceptron().state_dict()
        self.inputs, self.labels = MultilayerPerceptron.data(4)

    def refuses(self, message, function, *arguments, **options):
        with self.assertRaises(isthmus.IsthmusError) as caught:
            function(*arguments, **options)
        self.assertRegex(caught.exception.message, message)
        return caught.exception

    def test_models_that_cannot_be_exported_are_refused_with_the_reason(self):
        class Random(MultilayerPerceptron):
            def forward(self, x):
                return super().forward(nn.functional.dropout(x))

        self.refuses("must compute the same twice", isthmus.align, Random(), self.a, self.b, self.inputs)
        model = MultilayerPerceptron()
        self.refuses(r"shape \(2, 7\)", isthmus.align, model, self.a, self.b, torch.randn(2, 7))
        self.refuses("needs an example", isthmus.align, model, self.a, self.b)
        self.refuses(
            "Unexpected key", isthmus.align, model, self.a, Autoencoder().state_dict(), self.inputs, export=OLDER
        )

    def test_packages_that_exporters_need_are_named(self):
        model = MultilayerPerceptron()
        with mock.patch("isthmus._export._missing_packages", return_value=["onnxscript"]):
            with isthmus.export(model, self.inputs) as graph:
                self.assertEqual(graph.exporter, "torchscript")
            with mock.patch("torch.onnx.export", side_effect=RuntimeError("\x1b[1mno\x1b[0m such operator\nmore")):
                error = self.refuses("torchscript: RuntimeError: no such operator$", isthmus.export, model, self.inputs)
                self.assertIn("pip install onnxscript", error.hint)
        with mock.patch("isthmus._export._missing_packages", return_value=["onnx", "onnxscript"]):
            with mock.patch("torch.onnx.export", side_effect=ModuleNotFoundError("onnx")):
                error = self.refuses("need the package onnx", isthmus.export, model, self.inputs)
        self.assertIn("isthmus[onnx]", error.hint)
        self.assertIsInstance(error, isthmus.ExportError)

    def test_networks_and_data_that_make_no_sense_are_refused(self):
        model = MultilayerPerceptron()
        broken = {name: value.clone() for name, value in self.a.items()}
        broken["hidden.weight"][0, 0] = float("nan")
        for pair in ((broken, self.b), (self.b, broken)):
            self.refuses("must be finite", isthmus.align, model, *pair, self.inputs, export=OLDER)
        nested = self.refuses("must hold tensors", isthmus.align, model, {"model": self.a}, self.b, self.inputs)
        self.assertIn("['model']", nested.hint)
        data = (self.inputs, self.labels[:3])
        self.refuses("equally many", isthmus.barrier, model, self.a, self.b, data=data)
        unknown = self.refuses("Did you mean", isthmus.merge, None, [self.a, self.b], options={"dtipe": "f16"})
        self.assertEqual((unknown.exit_code, unknown.hint), (2, 'In Python: options={"dtype": ...}'))

    def test_a_model_that_takes_another_way_for_other_weights_is_found_out(self):
        class Branching(MultilayerPerceptron):
            def forward(self, x):
                return super().forward(x) * (1 if self.hidden.weight[0, 0] > 0 else 2)

        a, b = [{name: value.clone() for name, value in network.items()} for network in (self.a, self.b)]
        a["hidden.weight"][0, 0] = 1
        b["hidden.weight"][:, 0] = -b["hidden.weight"][:, 0].abs()
        b["hidden.weight"][3, 0] = 1
        # The example follows the way of a; so does the graph, whatever unit b has first.
        b["hidden.weight"][0, 1:], b["hidden.bias"][0] = a["hidden.weight"][5, 1:], a["hidden.bias"][5]
        b["output.weight"][:, 0] = a["output.weight"][:, 5]
        a["hidden.weight"][0, 1:], a["hidden.bias"][0] = b["hidden.weight"][3, 1:], b["hidden.bias"][3]
        a["output.weight"][:, 0] = b["output.weight"][:, 3]
        self.refuses("compute in PyTorch what it did", isthmus.align, Branching(), a, b, self.inputs, export=OLDER)


if __name__ == "__main__":
    unittest.main()
