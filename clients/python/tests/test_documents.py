"""The page of the module and its examples run as they stand."""

import contextlib
import io
import os
import re
import runpy
import sys
import unittest
from unittest import mock

try:
    import torch
except ImportError:
    torch = None

HERE = os.path.dirname(os.path.abspath(__file__))
CLIENT = os.path.dirname(HERE)


@unittest.skipIf(torch is None or not os.environ.get("ISTHMUS_COMMAND"), "there is no PyTorch, or no command")
class Documents(unittest.TestCase):
    def setUp(self):
        torch.manual_seed(0)

    def test_the_first_block_runs_and_prints_the_barriers_that_it_says(self):
        with open(os.path.join(CLIENT, "README.md"), encoding="utf-8") as file:
            block = re.search(r"```python\n(.*?)```", file.read(), re.DOTALL).group(1)
        printed = io.StringIO()
        names = {}
        with contextlib.redirect_stdout(printed):
            exec(compile(block, "README.md", "exec"), names)
        after, before = re.search(r"barrier: ([\d.e-]+) .*; ([\d.e-]+) without", printed.getvalue()).groups()
        self.assertLess(float(after), 0.03)
        self.assertGreater(float(before), 2 * float(after))
        loss = torch.nn.functional.cross_entropy(names["a"](names["x"]), names["y"])
        self.assertLess(loss.item(), 0.15)

    def test_the_training_loop_ends_with_a_merged_network(self):
        printed = io.StringIO()
        script = os.path.join(CLIENT, "examples", "training_loop.py")
        with mock.patch.object(sys, "argv", [script, "--epochs", "1", "--width", "16"]):
            with contextlib.redirect_stdout(printed):
                runpy.run_path(script, run_name="__main__")
        self.assertRegex(printed.getvalue(), r"\n +1 .*\nmerged: loss \d")

    def test_the_last_line_of_every_cell_of_the_notebook_draws_itself(self):
        with open(os.path.join(CLIENT, "examples", "notebook.py"), encoding="utf-8") as file:
            cells = re.split(r"^# %%.*\n", file.read(), flags=re.MULTILINE)[1:]
        names = {}
        drawn = []
        for cell in cells:
            *lines, last = cell.strip().splitlines()
            is_shown = re.match(r"(isthmus\.|result$|merged$)", last) is not None
            exec("\n".join(lines if is_shown else [*lines, last]), names)
            if is_shown:
                drawn.append(eval(last, names)._repr_html_())
        self.assertEqual([bool(re.match(r"<(div|table)", text)) for text in drawn], [True] * 4)
        self.assertIn("<svg", drawn[2])


if __name__ == "__main__":
    unittest.main()
