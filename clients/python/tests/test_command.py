"""How the command is found, run, stopped and understood, with a program that stands in for it."""

import contextlib
import io
import json
import os
import pickle
import shutil
import signal
import sys
import tempfile
import threading
import time
import unittest
from types import SimpleNamespace
from unittest import mock

import isthmus
from isthmus import _command
from isthmus._call import Call
from isthmus._files import temporary_folder, without_folders
from isthmus._merge import Recipe

FAKE = os.path.join(os.path.dirname(__file__), "fake_command.py")


def pretend(what, **more):
    """Sets the environment so that the stand-in is the command."""
    command = f'"{sys.executable}" "{FAKE}"'
    return mock.patch.dict(os.environ, {"ISTHMUS_COMMAND": command, "FAKE": what, **more})


class Finding(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        self.empty = mock.patch.dict(os.environ, {"PATH": self.folder, "ISTHMUS_COMMAND": ""})
        self.empty.start()
        self.addCleanup(self.empty.stop)
        here = os.getcwd()
        os.chdir(self.folder)
        self.addCleanup(os.chdir, here)

    def program(self, *path):
        place = os.path.join(self.folder, *path)
        os.makedirs(os.path.dirname(place), exist_ok=True)
        with open(place, "w") as file:
            file.write("#!/bin/sh\n")
        os.chmod(place, 0o755)
        return place

    def test_the_variable_names_a_command_line_or_a_script(self):
        with mock.patch.dict(os.environ, {"ISTHMUS_COMMAND": "node '/a b/isthmus.js'"}):
            self.assertEqual(_command.find_command(), ["node", "/a b/isthmus.js"])
        with mock.patch.dict(os.environ, {"ISTHMUS_COMMAND": "/opt/isthmus.js"}):
            self.assertEqual(_command.find_command(), ["node", "/opt/isthmus.js"])

    @unittest.skipIf(os.name == "nt", "programs have other endings")
    def test_the_path_comes_before_node_modules_and_npx(self):
        with self.assertRaises(isthmus.CommandNotFoundError) as caught:
            _command.find_command()
        self.assertIn("Node.js 20", caught.exception.hint)
        npx = self.program("npx")
        self.assertEqual(_command.find_command()[0], npx)
        self.assertEqual(_command.find_command()[-1], f"isthmus@{isthmus.__version__}")
        local = self.program("node_modules", ".bin", "isthmus")
        inner = os.path.join(self.folder, "deep", "er")
        os.makedirs(inner)
        os.chdir(inner)
        self.assertEqual(os.path.realpath(_command.find_command()[0]), os.path.realpath(local))
        self.assertEqual(_command.find_command()[0], _command.find_command()[-1])
        self.assertEqual([self.program("isthmus")], _command.find_command())

    def test_batch_files_of_npm_are_left_out_for_the_script_behind_them(self):
        script = self.program("node_modules", "isthmus", "bin", "isthmus.js")
        self.assertEqual(_command._script_of(os.path.join(self.folder, "isthmus.cmd")), script)
        below = os.path.join(self.folder, "node_modules", ".bin", "isthmus.CMD")
        self.assertEqual(_command._script_of(below), script)
        self.assertIsNone(_command._script_of(os.path.join(self.folder, "isthmus")))


class Words(unittest.TestCase):
    def test_options_are_written_as_the_command_reads_them(self):
        options = {
            "seed": 0,
            "match_steps": 9,
            "align": True,
            "verify": False,
            "loss": None,
            "weights": [0.7, 0.3],
            "input": ["x", "y"],
            "layers": {"conv*": 0.5},
            "max_barrier": -1,
        }
        self.assertEqual(
            _command.words_of(options),
            ["--seed", "0", "--match-steps", "9", "--align", "--weights", "0.7,0.3"]
            + ["--input", "x", "--input", "y", "--layers", "conv*=0.5", "--max-barrier=-1"],
        )

    def test_a_path_is_never_an_option(self):
        self.assertEqual(_command.path_word("--output"), os.path.join(".", "--output"))
        self.assertEqual(_command.path_word("a.pt"), "a.pt")

    def test_hints_write_options_as_python_does(self):
        hint = _command.hint_of("keep them with --unread keep, or name --data; see isthmus align --help", ("data",))
        self.assertEqual(hint, 'In Python: options={"unread": ...}, data=...')
        unknown = "Unknown option '--restart' (Did you mean --restarts?); see isthmus align --help"
        self.assertEqual(_command.hint_of(unknown, ("restarts",)), "In Python: restarts=...")
        self.assertIsNone(_command.hint_of("a weight-norm--x is no option", ()))

    def test_temporary_folders_are_left_out_of_texts(self):
        with temporary_folder() as folder:
            path = os.path.join(folder, "a.safetensors")
            self.assertEqual(without_folders(f'Cannot read "{path}"'), 'Cannot read "a.safetensors"')
            self.assertEqual(without_folders(f"safetensors:{path}"), "safetensors:a.safetensors")
        self.assertFalse(os.path.exists(folder))
        self.assertEqual(without_folders('"/data/isthmus/a.pt"'), '"/data/isthmus/a.pt"')


class Running(unittest.TestCase):
    def test_the_result_and_notes_come_back_and_progress_does_not(self):
        with pretend("echo"), self.assertLogs("isthmus", "INFO") as logged:
            found, notes = _command.run_verb("align", ["a", "--x", "$(rm -rf /)"], progress=False)
        self.assertEqual(found.arguments, ["align", "a", "--x", "$(rm -rf /)", "--json", "--quiet"])
        self.assertEqual(notes, ["  a note"])
        self.assertEqual(len(logged.output), 1)

    def test_what_the_command_says_is_shown_if_asked_but_for_the_error(self):
        shown = io.StringIO()
        with pretend("echo"), contextlib.redirect_stderr(shown):
            found, _ = _command.run_verb("align", [], progress=True)
        self.assertNotIn("--quiet", found.arguments)
        self.assertIn("Aligning:  34 %", shown.getvalue())
        with pretend("fail no such file"), contextlib.redirect_stderr(shown), self.assertRaises(isthmus.IsthmusError):
            _command.run_verb("align", [], progress=True)
        self.assertNotIn("no such file", shown.getvalue())

    @unittest.skipIf(os.name == "nt", "there are no pseudo-terminals")
    def test_in_a_terminal_the_command_draws_on_a_screen(self):
        class Screen(io.StringIO):
            def isatty(self):
                return True

        with pretend("echo"), mock.patch.object(sys, "stderr", Screen()) as screen:
            found, notes = _command.run_verb("align", [])
            self.assertTrue(found.screen)
        self.assertIn("Aligning:  34 %", screen.getvalue())
        self.assertEqual(notes, ["  a note"])
        with pretend("echo"), mock.patch.object(sys, "stderr", io.StringIO()) as hidden:
            # Who sees no progress is warned.
            with self.assertWarnsRegex(UserWarning, "^  a note$") as said:
                self.assertFalse(_command.run_verb("align", [])[0].screen)
        self.assertEqual((hidden.getvalue(), said.filename), ("", __file__))

    def test_an_error_names_the_model_and_not_the_files_it_was_put_in(self):
        call = Call("", (), None)
        call.graph = SimpleNamespace(path="/t/graph.onnx", weights="/t/exported.safetensors")
        said = isthmus.IsthmusError('Cannot feed "exported.safetensors" to graph "graph.onnx" as it lacks some')
        with mock.patch("isthmus._call.run_verb", side_effect=said), self.assertRaises(isthmus.IsthmusError) as caught:
            call.run("merge", [])
        self.assertEqual(
            caught.exception.message, "Cannot feed the model's own weights to the model's graph as it lacks some"
        )
        self.assertIn("isthmus.export(model, example, weights=", caught.exception.hint)

    def test_a_failure_raises_the_message_of_the_command(self):
        with pretend("fail Cannot read x as it must exist; add --unread keep"):
            with self.assertRaises(isthmus.IsthmusError) as caught:
                _command.run_verb("align", [], progress=False)
        error = caught.exception
        self.assertEqual(error.message, "Cannot read x as it must exist; add --unread keep")
        self.assertEqual((error.exit_code, error.result), (2, None))
        self.assertIn('options={"unread"', str(error))
        again = pickle.loads(pickle.dumps(error))
        self.assertEqual((again.message, again.hint, again.exit_code), (error.message, error.hint, 2))

    def test_a_gate_that_is_exceeded_raises_with_the_result(self):
        with pretend("gate"), self.assertRaises(isthmus.IsthmusError) as caught:
            _command.run_verb("barrier", [], progress=False)
        self.assertEqual((caught.exception.exit_code, caught.exception.result), (1, {"kind": "barrier", "barrier": 3}))
        self.assertEqual(caught.exception.message, "the loss barrier is 3, more than 1")

    def test_a_program_that_is_not_the_command_is_named(self):
        with pretend("text"), self.assertRaisesRegex(isthmus.IsthmusError, "one JSON object"):
            _command.run_verb("align", [], progress=False)
        with pretend("npx"), self.assertRaisesRegex(isthmus.CommandNotFoundError, "404"):
            _command.run_verb("align", [], progress=False)
        with mock.patch.dict(os.environ, {"ISTHMUS_COMMAND": "/no/such/program"}):
            with self.assertRaisesRegex(isthmus.CommandNotFoundError, "/no/such/program"):
                _command.run_verb("align", [], progress=False)

    def test_files_and_folders_need_no_pytorch(self):
        with pretend("echo"), mock.patch.dict(sys.modules, {"torch": None}):
            merged = isthmus.merge("a", "b", "-c", out="m", align="activation", data="mnist", options={"many": "tree"})
            measured = isthmus.barrier("a", "b", data="mnist:test", points=5, progress=False)
        self.assertEqual(
            [word for word in merged.arguments if word != "--quiet"],
            ["merge", "a", "b", os.path.join(".", "-c"), "--data", "mnist", "--seed", "0", "--align"]
            + ["--method", "activation", "--output", "m", "--many", "tree", "--json"],
        )
        self.assertEqual(measured.arguments[:7], ["barrier", "a", "b", "--data", "mnist:test", "--points", "5"])
        for arguments in (("a", "b"), ("a", {}, "m")):
            with self.assertRaisesRegex(isthmus.IsthmusError, "out must name|must be paths"):
                isthmus.merge(*arguments)

    def test_a_recipe_says_methods_weights_and_which_networks_are_aligned(self):
        recipe = Recipe("ties", [1, 2], "base", {"density": 0.5})
        with temporary_folder() as folder:
            with open(recipe.write(folder, ["a", "b"], "base", False), encoding="utf-8") as file:
                written = json.load(file)
            with open(recipe.write(folder, ["a", "b"], None, True), encoding="utf-8") as file:
                aligned = [model.get("align", False) for model in json.load(file)["models"]]
        self.assertEqual((written["merge_method"], written["parameters"]), ("ties", {"density": 0.5}))
        self.assertEqual([model["parameters"]["weight"] for model in written["models"]], [1, 2])
        self.assertEqual(written["base_model"], os.path.abspath("base"))
        self.assertEqual(aligned, [False, True])
        with self.assertRaisesRegex(isthmus.IsthmusError, "a method must use them"):
            Recipe(None, None, "base", None)

    @unittest.skipIf(os.name == "nt", "signals are those of POSIX")
    def test_a_command_that_is_killed_says_so(self):
        with self.stopped_by(lambda pid: os.kill(pid, signal.SIGKILL)) as folder:
            with self.assertRaisesRegex(isthmus.IsthmusError, "SIGKILL") as caught:
                _command.run_verb("align", [], progress=False)
        self.assertEqual(caught.exception.exit_code, 137)
        self.assertFalse(os.path.exists(folder))

    @unittest.skipIf(os.name == "nt", "signals are those of POSIX")
    def test_an_interrupt_lets_the_command_clean_up_and_ends_it(self):
        with self.stopped_by(lambda pid: os.kill(os.getpid(), signal.SIGINT)) as folder:
            with self.assertRaises(KeyboardInterrupt):
                _command.run_verb("align", [], progress=False)
            self.assertEqual(os.listdir(folder), [])

    @contextlib.contextmanager
    def stopped_by(self, stop):
        """Runs the stand-in that sleeps, and stops it once it has started."""
        with temporary_folder() as folder:
            started = os.path.join(folder, "started")

            def watch():
                for _ in range(1000):
                    with contextlib.suppress(OSError, ValueError), open(started) as file:
                        stop(int(file.read()))
                        return
                    time.sleep(0.01)

            watcher = threading.Thread(target=watch)
            with pretend("sleep", FAKE_STARTED=started):
                watcher.start()
                yield folder
                watcher.join()


if __name__ == "__main__":
    unittest.main()
