import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runAlone, runCli } from "../../../test/helpers/run-cli.ts";
import { saveDense } from "../../mixtures/test/dense-models.ts";

const folder = mkdtempSync(join(tmpdir(), "isthmus-cli-moe-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const RECIPE = `base_model: base
gate_mode: hidden
experts:
  - source_model: a
    positive_prompts: [abc]
  - source_model: base
    positive_prompts: [kl]
`;

beforeAll(async () => {
  // Experts of some megabytes, so that a process can be killed while it writes them.
  const config = { intermediate_size: 40_000 };
  for (const [seed, name] of ["base", "a"].entries()) await saveDense(join(folder, name), { config, seed });
  writeFileSync(join(folder, "moe.yml"), RECIPE);
});

const weightsIn = (name: string) => readFileSync(join(folder, name, "model.safetensors"));
const at = { cwd: folder };

describe("isthmus moe", () => {
  it("writes a mixture, and into it how it was made", async () => {
    const made = await runCli(["moe", "moe.yml", "-o", "made"], at);
    expect([made.code, made.stdout]).toEqual([
      0,
      expect.stringMatching(/^layout +Mixtral\nexperts +2 in 2 layers, 2 for each token/),
    ]);
    expect(weightsIn("made").toString("latin1", 0, 600)).toContain('\\"verb\\":\\"moe\\"');
    const verified = await runCli(["verify", "made"], at);
    expect([verified.code, verified.stdout]).toEqual([0, expect.stringContaining("the same, made again")]);
    const bytes = weightsIn("made");
    writeFileSync(join(folder, "made/model.safetensors"), bytes.fill(1, bytes.length - 4));
    expect((await runCli(["verify", "made"], at)).stdout).toMatch(/differs +model.*: /);
  });

  it("says beforehand what tensors come from, and refuses what it cannot read", async () => {
    const dry = await runCli(["moe", "moe.yml", "--dry-run"], at);
    expect([dry.code, dry.stdout]).toEqual([
      0,
      expect.stringMatching(/^model\.layers\.0-1\.block_sparse_moe\.experts\.\*\.w1\.weight .* a +copy$/m),
    ]);
    const one = await runCli(["moe", "moe.yml", "--explain", "*layers.1.*gate*"], at);
    expect(one.stdout).toMatch(/as +gates by the mode hidden$/m);
    writeFileSync(join(folder, "wrong.yml"), RECIPE.replace("gate_mode", "gate_mod"));
    const wrong = await runCli(["moe", "wrong.yml", "--dry-run"], at);
    expect([wrong.code, wrong.stderr]).toEqual([
      2,
      expect.stringMatching(/wrong\.yml:2: "gate_mod" is no key here; did you mean "gate_mode"/),
    ]);
    expect((await runCli(["moe", "moe.yml"], at)).stderr).toContain("-o must name the folder");
  });

  it("goes on after it was killed, and writes the same bytes", async () => {
    await runCli(["moe", "moe.yml", "-o", "whole"], at);
    const killed = await runAlone(["moe", "moe.yml", "-o", "killed"], {
      cwd: folder,
      onStart(child) {
        const path = join(folder, "killed");
        const watch = setInterval(() => {
          const isBegun = existsSync(path) && readdirSync(path).some((name) => name.startsWith(".moe-gates"));
          if (child.exitCode === null && !isBegun) return;
          clearInterval(watch);
          child.kill("SIGKILL");
        }, 1);
      },
    });
    expect(killed.code).not.toBe(0);
    expect(existsSync(join(folder, "killed/model.safetensors"))).toBe(false);
    expect((await runCli(["moe", "moe.yml", "-o", "killed"], at)).code).toBe(0);
    expect(weightsIn("killed").equals(weightsIn("whole"))).toBe(true);
    expect(readdirSync(join(folder, "killed")).filter((name) => name.startsWith("."))).toEqual([]);
  });
});
