import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
const client = join(root, "clients", "python");
/** The interpreter to test with: one that has PyTorch if ISTHMUS_PYTHON names it. */
const python = process.env["ISTHMUS_PYTHON"] ?? "python3";

/** Runs the interpreter with the module in reach, and returns its exit code and what it wrote. */
function runPython(...words: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(python, words, {
    cwd: client,
    encoding: "utf8",
    env: {
      ...process.env,
      ISTHMUS_COMMAND: `"${process.execPath}" "${join(root, "packages", "cli", "bin", "isthmus.js")}"`,
      PYTHONPATH: join(client, "src"),
      PYTHONDONTWRITEBYTECODE: "1",
    },
  });
  return { status, text: `${stdout ?? ""}${stderr ?? ""}` };
}

/** Says in the log of tests why some are left out. */
function tellSkipped(why: string): void {
  process.stderr.write(`SKIPPED: tests of clients/python, as ${why}\n`);
}

const hasPython = runPython("-c", "import sys; assert sys.version_info >= (3, 9)").status === 0;
if (!hasPython) tellSkipped(`"${python}" is no Python of 3.9 or newer; ISTHMUS_PYTHON names another`);
const hasTorch = hasPython && runPython("-c", "import torch").status === 0;
if (hasPython && !hasTorch)
  tellSkipped(`"${python}" has no PyTorch, except those that need none; ISTHMUS_PYTHON names another`);

describe("the module for Python", () => {
  it.skipIf(!hasPython)(
    "finds, runs and understands the command, and takes part in a federation, without PyTorch",
    () => {
      const tests = ["tests.test_command", "tests.test_files", "tests.test_federate.Protocol"];
      const { status, text } = runPython("-m", "unittest", ...tests);
      expect(status, text).toBe(0);
      expect(text).toMatch(/Ran \d+ tests/);
    },
  );

  it.skipIf(!hasTorch)(
    "aligns, merges and measures as PyTorch computes it",
    () => {
      const tests = ["tests.test_torch", "tests.test_documents", "tests.test_federate.RealServer"];
      const { status, text } = runPython("-m", "unittest", ...tests);
      expect(status, text).toBe(0);
    },
    1_800_000,
  );

  it("has the version of the npm packages", () => {
    const source = readFileSync(join(client, "src", "isthmus", "_version.py"), "utf8");
    const { version } = JSON.parse(readFileSync(join(root, "packages", "isthmus", "package.json"), "utf8"));
    expect(/^__version__ = "(.*)"$/m.exec(source)?.[1]).toBe(version);
  });

  it("shows on PyPI what its page says, with the license and addresses of the repository", () => {
    execFileSync(process.execPath, [join(root, "tools", "write-python-readme.mjs"), "--check"]);
    expect(readFileSync(join(client, "LICENSE"), "utf8")).toBe(readFileSync(join(root, "LICENSE"), "utf8"));
    const { homepage, repository, bugs } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    const project = readFileSync(join(client, "pyproject.toml"), "utf8");
    const address = repository.url.replace(/^git\+/, "").replace(/\.git$/, "");
    for (const url of [homepage, `${homepage}docs/python`, address, bugs])
      expect(project).toContain(`"${url}"`);
  });
});
