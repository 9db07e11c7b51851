import { execFileSync, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type killOnceThere, runAlone, runCli } from "../../../test/helpers/run-cli.ts";

const example = (name: string): string =>
  fileURLToPath(new URL(`../../../examples/mnist-mlp/${name}`, import.meta.url));
const BIN = fileURLToPath(new URL("../bin/isthmus.js", import.meta.url));
const [A, B, GRAPH] = [example("s0.safetensors"), example("s1.safetensors"), example("graph.onnx")];
const ON_LINUX = process.platform === "linux";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "isthmus-cli-hostile-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a command line in the folder and expects it to be refused in one line. */
async function expectRefusal(args: readonly string[], message: RegExp): Promise<void> {
  const { code, stdout, stderr } = await runCli(args, { cwd: folder });
  expect({ args, code, stdout }).toEqual({ args, code: 2, stdout: "" });
  expect(stderr.trimEnd()).toMatch(message);
  expect(stderr.trimEnd().split("\n")).toHaveLength(1);
}

describe("isthmus and files that are none", () => {
  const uses: readonly (readonly [string, (path: string) => readonly string[]])[] = [
    ["a checkpoint", (path) => ["inspect", path]],
    ["a graph", (path) => ["symmetry", path]],
    ["a graph of others", (path) => ["align", A, B, "--graph", path, "-o", "x.safetensors"]],
    ["a result", (path) => ["report", path, "-o", "x.html"]],
    ["an alignment", (path) => ["barrier", A, B, "--graph", GRAPH, "--data", "mnist", "--alignment", path]],
    [
      "barriers of layers",
      (path) => ["merge", A, B, "-o", "x.safetensors", "--max-barrier", "1", "--layers-from", path],
    ],
    ["a study", (path) => ["study", path, "--list"]],
    [
      "a text",
      (path) => ["train", "--net", "gpt:d1:w8:h1:c8", "--data", `text:${path}`, "-o", "x.safetensors"],
    ],
    ["images", (path) => ["train", "--net", "mlp:4", "--data", `idx:${path},${path}`, "-o", "x.safetensors"]],
    ["arrays", (path) => ["train", "--net", "mlp:4", "--data", `npz:${path}`, "-o", "x.safetensors"]],
  ];

  test.runIf(ON_LINUX).each(uses)(
    "isthmus refuses a pipe and a device as %s, without waiting",
    async (_, use) => {
      execFileSync("mkfifo", [join(folder, "pipe.onnx")]);
      for (const path of ["pipe.onnx", "/dev/zero"]) {
        await expectRefusal(use(path), /must be a regular file: it is a device, pipe or socket/);
      }
      expect(readdirSync(folder)).toEqual(["pipe.onnx"]);
    },
  );

  test("isthmus says what a file is that was given in the place of another", async () => {
    const text = join(folder, "notes.safetensors");
    writeFileSync(text, "These are notes, and not a network.\n");
    await expectRefusal(["inspect", text], /must be safetensors .*: it is text$/);
    await expectRefusal(
      ["symmetry", "notes.safetensors.onnx"],
      /it must exist: there is no such file or folder$/,
    );
    writeFileSync(join(folder, "notes.onnx"), "These are notes, and not a network.\n");
    await expectRefusal(["symmetry", "notes.onnx"], /as it must be an ONNX model: it is text$/);
    await expectRefusal(
      ["merge", A, GRAPH, "-o", "x.safetensors"],
      /it is an ONNX graph; give it as the graph \(--graph\)/,
    );
    writeFileSync(join(folder, "weights.onnx"), "PK\x03\x04 and so on");
    await expectRefusal(
      ["symmetry", "weights.onnx"],
      /it is a zip archive, as torch\.save .*; give it as a checkpoint, and/,
    );
    await expectRefusal(
      ["inspect", "meta-llama/Llama-2-7b"],
      /hf download meta-llama\/Llama-2-7b --local-dir Llama-2-7b$/,
    );
  });
});

describe("isthmus and what it writes", () => {
  test("isthmus creates the folders of its outputs, and says which name is a file", async () => {
    const output = join(folder, "new", "place", "m.safetensors");
    expect((await runCli(["merge", A, B, "-o", output])).code).toBe(0);
    expect(existsSync(output)).toBe(true);
    writeFileSync(join(folder, "file"), "");
    await expectRefusal(
      ["merge", A, B, "--no-check", "-o", "file"],
      /as "file" must be a folder: it is a file$/,
    );
    await expectRefusal(
      ["merge", A, B, "--no-check", "-o", "file/x.safetensors"],
      /must be a folder: one is a file$/,
    );
    expect(readdirSync(folder).sort()).toEqual(["file", "new"]);
  });

  test.runIf(existsSync("/dev/full"))(
    "isthmus tells in one line that standard output cannot be written",
    () => {
      const full = openSync("/dev/full", "w");
      for (const args of [["inspect", A], ["--help"], ["inspect", A, "--json"]]) {
        const { status, stderr } = spawnSync(process.execPath, [BIN, ...args], {
          stdio: ["ignore", full, "pipe"],
          encoding: "utf8",
        });
        expect({ args, status }).toEqual({ args, status: 2 });
        expect(stderr).toBe(
          "isthmus: Cannot write to standard output as the disk must have room: it is full\n",
        );
      }
      closeSync(full);
    },
  );
});

describe("isthmus train and others at work", () => {
  const training = [
    "train",
    "--net",
    "mlp:8",
    "--data",
    "mnist:train@2000",
    "--eval-data",
    "none",
    "-o",
    "t.safetensors",
  ];

  test("isthmus train refuses an output that another training has, and takes it over from a killed one", async () => {
    const lock = join(folder, ".t.state.safetensors.training.lock");
    const first = await new Promise<{ pid: number; ended: Promise<unknown> }>((resolve) => {
      void runAlone([...training, "--epochs", "100000"], {
        cwd: folder,
        onStart: (child) => resolve({ pid: child.pid ?? 0, ended: once(child, "exit") }),
      });
    });
    while (!existsSync(lock)) await new Promise((resolve) => setTimeout(resolve, 10));
    await expectRefusal(
      [...training, "--epochs", "1"],
      new RegExp(
        `Cannot use "t\\.safetensors" as no other process may be at work there: process ${first.pid} is`,
      ),
    );
    process.kill(first.pid, "SIGKILL");
    await first.ended;
    rmSync(join(folder, "t.state.safetensors"), { force: true });
    expect((await runCli([...training, "--epochs", "1"], { cwd: folder })).code).toBe(0);
    expect(readdirSync(folder).sort()).toEqual(["t.onnx", "t.safetensors"]);
  });

  test("isthmus train refuses an output in whose place is a folder, before it trains", async () => {
    mkdirSync(join(folder, "t.onnx"));
    await expectRefusal(
      [...training, "--epochs", "1"],
      /Cannot write ".*t\.onnx" as it must be a file: it is a folder/,
    );
    expect(readdirSync(folder)).toEqual(["t.onnx"]);
  });

  test("isthmus train leaves no folder and no lock when it fails", async () => {
    await expectRefusal(
      [...training.slice(0, -1), "a/b/t.safetensors", "--epochs", "1", "--from", A],
      /Cannot /,
    );
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe("isthmus merge killed", () => {
  test("isthmus merge killed while shards get their names leaves the old ones, the new ones, or says what is missing", async () => {
    const merge = (weights: string) => [
      "merge",
      A,
      B,
      "--weights",
      weights,
      "--max-shard-size",
      "300kB",
      "-o",
      "m",
    ];
    expect((await runCli(merge("1,0"), { cwd: folder })).code).toBe(0);
    const index = join(folder, "m", "model.safetensors.index.json");
    await runAlone(merge("0,1"), { cwd: folder, onStart: killOnceGone(index) });
    const { code, stdout, stderr } = await runCli(["inspect", "m"], { cwd: folder });
    if (code === 0) expect(stdout).toContain("layers.3.bias");
    else expect(stderr).toMatch(/Cannot open "m" as (without an index|a folder must hold safetensors files)/);
    expect((await runCli(merge("0,1"), { cwd: folder })).code).toBe(0);
    expect(readdirSync(join(folder, "m")).filter((name) => name.startsWith("."))).toEqual([]);
  });
});

/** For `onStart`: kills the command as soon as a file is gone. */
function killOnceGone(path: string): ReturnType<typeof killOnceThere> {
  return (child) => {
    const watch = setInterval(() => {
      if (child.exitCode === null && existsSync(path)) return;
      clearInterval(watch);
      child.kill("SIGKILL");
    }, 0);
  };
}
