import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InputError, UsageError } from "@isthmus/core";
import { describe, expect, it } from "vitest";
import { runEvaluation } from "./run-evaluation.ts";

describe("runEvaluation", () => {
  it.each([
    ["echo 0.25 # {}", 0.25],
    ["printf 'epoch 1\\nloss: 1.5e-3\\n' # {}", 1.5e-3],
    ["printf '7\\ndone\\n' # {}", 7],
    ["echo 'accuracy 91.5, loss -.5' # {}", -0.5],
    ["echo nan # {}", Number.NaN],
    ["echo -inf # {}", Number.NEGATIVE_INFINITY],
    ["echo 3; echo 9 >&2 # {}", 3],
  ])("takes the last number of %s", async (command, score) => {
    expect(await runEvaluation(command, "net")).toEqual(score);
  });

  it("gives the path as one word, whatever it holds", async () => {
    const path = join(await mkdtemp(join(tmpdir(), "isthmus-")), 'it\'s $HOME; a "name"');
    await writeFile(path, "42");
    expect(await runEvaluation("cat {}", path)).toBe(42);
  });

  it("refuses a command that is not told the path", async () => {
    await expect(runEvaluation("python evaluate.py", "net")).rejects.toThrow(UsageError);
  });

  it("says how a command failed, and what it said", async () => {
    const failing = runEvaluation("echo 1; echo 'no such model' >&2; exit 3 # {}", "net");
    await expect(failing).rejects.toThrow(InputError);
    await expect(failing).rejects.toThrow(/it ended with 3\nno such model/);
    await expect(runEvaluation("echo done # {}", "net")).rejects.toThrow(/it printed none\ndone/);
  });

  it("stops the command and what it started", async () => {
    const file = join(await mkdtemp(join(tmpdir(), "isthmus-")), "late");
    const stop = new AbortController();
    const running = runEvaluation("(sleep 1; touch {}) & wait", file, stop.signal);
    setTimeout(() => stop.abort(), 50);
    await expect(running).rejects.toThrow(/abort/i);
    await new Promise((resolve) => setTimeout(resolve, 1200));
    await expect(runEvaluation("test -e {}; echo $?", file)).resolves.toBe(1);
  });
});
