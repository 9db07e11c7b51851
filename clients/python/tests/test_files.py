"""The format safetensors, results and names, with tensors that stand in for those of PyTorch."""

import io
import json
import os
import pickle
import struct
import unittest
from unittest import mock

import isthmus
from isthmus._safetensors import decode_header, encode_header


class Tensor:
    """Has what the header is made from."""

    def __init__(self, dtype, shape, size):
        self.dtype, self.shape, self._size = f"torch.{dtype}", shape, size
        self.is_meta, self.layout = False, "torch.strided"

    def numel(self):
        count = 1
        for extent in self.shape:
            count *= extent
        return count

    def element_size(self):
        return self._size


class Headers(unittest.TestCase):
    def test_headers_say_types_shapes_and_places_and_end_aligned(self):
        tensors = {"a": Tensor("bfloat16", (2, 3), 2), "b": Tensor("bool", (), 1), "c": Tensor("float64", (0, 4), 8)}
        text = encode_header(tensors)
        (length,) = struct.unpack("<Q", text[:8])
        self.assertEqual((len(text), length % 8), (8 + length, 0))
        self.assertEqual(
            json.loads(text[8:]),
            {
                "a": {"dtype": "BF16", "shape": [2, 3], "data_offsets": [0, 12]},
                "b": {"dtype": "BOOL", "shape": [], "data_offsets": [12, 13]},
                "c": {"dtype": "F64", "shape": [0, 4], "data_offsets": [13, 13]},
            },
        )
        entries, start = decode_header(io.BytesIO(text), "x")
        self.assertEqual((list(entries), start), (["a", "b", "c"], len(text)))

    def test_names_of_all_kinds_come_back(self):
        names = ["../x", "a" * 70_000, "", "x\ny\0z", "/etc/passwd", "__proto__", "é\U0001f600"]
        entries, _ = decode_header(io.BytesIO(encode_header({name: Tensor("int8", (1,), 1) for name in names})), "x")
        self.assertEqual(list(entries), names)

    def test_what_the_format_cannot_hold_is_refused_by_name(self):
        for tensors, message in (
            ({"__metadata__": Tensor("int8", (1,), 1)}, "__metadata__"),
            ({3: Tensor("int8", (1,), 1)}, "named 3"),
            ({"c": Tensor("complex64", (1,), 8)}, '"c".*complex64'),
        ):
            with self.assertRaisesRegex(isthmus.IsthmusError, message):
                encode_header(tensors)
        sparse = Tensor("float32", (1,), 4)
        sparse.layout = "torch.sparse_coo"
        with self.assertRaisesRegex(isthmus.IsthmusError, '"s".*sparse_coo'):
            encode_header({"s": sparse})

    def test_a_header_that_claims_too_much_is_refused(self):
        with self.assertRaisesRegex(isthmus.IsthmusError, "claims"):
            decode_header(io.BytesIO(b"\xff" * 8), "x")
        with self.assertRaisesRegex(isthmus.IsthmusError, "claims"):
            decode_header(io.BytesIO(b""), "x")


class Results(unittest.TestCase):
    def test_fields_are_attributes_at_every_depth(self):
        found = json.loads('{"barrier": {"loss": {"chord": 1.5}}}', object_hook=isthmus.Record)
        self.assertEqual(found.barrier.loss.chord, 1.5)
        with self.assertRaisesRegex(AttributeError, "barrier"):
            found.bariers
        self.assertEqual(json.loads(json.dumps(found)), found)

    def test_results_are_pickled_with_their_notes(self):
        again = pickle.loads(pickle.dumps(isthmus.Barrier({"points": []}, ["a note"])))
        self.assertEqual((type(again), again, again.notes), (isthmus.Barrier, {"points": []}, ["a note"]))

    def test_names_from_files_are_shown_as_text(self):
        axes = [{"tensor": "<script>", "axis": 0}]
        found = isthmus.Symmetry({"symmetries": [{"name": "<b>", "size": 3, "axes": axes}]})
        self.assertNotIn("<script>", found._repr_html_())
        self.assertIn("&lt;script&gt;", found._repr_html_())
        self.assertEqual(repr(found), "Symmetry(symmetries: 1, units: 3)")

    def test_a_result_is_shown_without_figures_if_there_is_no_command(self):
        found = isthmus.Comparison({"kind": "comparison", "verdict": "same seed", "findings": []})
        with mock.patch.dict(os.environ, {"ISTHMUS_COMMAND": "/no/such/program"}):
            self.assertIn("same seed", found._repr_html_())
            with self.assertRaises(isthmus.CommandNotFoundError):
                found.figures()

    def test_state_dicts_are_pickled_as_plain_ones(self):
        made = isthmus.StateDict({"a": 1}, isthmus.Result({"method": "weight"}))
        made._metadata = {"": {"version": 1}}
        again = pickle.loads(pickle.dumps(made))
        self.assertEqual((type(again).__module__, dict(again)), ("collections", {"a": 1}))
        self.assertEqual(again._metadata, made._metadata)
        self.assertEqual(made.copy().result.method, "weight")


class Version(unittest.TestCase):
    def test_it_is_that_of_the_npm_package(self):
        root = os.path.join(os.path.dirname(__file__), "..", "..", "..")
        path = os.path.join(root, "packages", "isthmus", "package.json")
        if not os.path.exists(path):
            self.skipTest("this is no clone of the repository")
        with open(path, encoding="utf-8") as file:
            self.assertEqual(isthmus.__version__, json.load(file)["version"])


if __name__ == "__main__":
    unittest.main()
