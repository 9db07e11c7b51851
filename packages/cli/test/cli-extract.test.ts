import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createCheckpoint, createRandom, createTensor, saveCheckpoint } from "@isthmus/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runAlone, runCli, runJson } from "../../../test/helpers/run-cli.ts";

const folder = mkdtempSync(join(tmpdir(), "isthmus-cli-extract-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const LAYERS = 8;
const SIDE = 40;

/** Saves a network of square weights, the fine-tune with differences that fall from one layer to the next. */
async function save(name: string, isTuned: boolean): Promise<void> {
  const weights = Array.from({ length: LAYERS }, (_, i) => {
    const [of, change] = [createRandom(i, "base"), createRandom(i, "change")];
    const scale = isTuned ? 0.1 / (i + 1) : 0;
    const data = Float32Array.from({ length: SIDE * SIDE }, () => of.normal() + scale * change.normal());
    return [`layers.${i}.q.weight`, createTensor("f32", [SIDE, SIDE], data)] as const;
  });
  const norm = createTensor("f32", [SIDE], new Float32Array(SIDE).fill(isTuned ? 1.5 : 1));
  const tensors = new Map([...weights, ["norm.weight", norm] as const]);
  await saveCheckpoint(createCheckpoint(tensors), join(folder, `${name}.safetensors`));
}

beforeAll(async () => {
  await save("base", false);
  await save("tuned", true);
});

const NETWORKS = ["base.safetensors", "tuned.safetensors"];
const weightsIn = (name: string) => readFileSync(join(folder, name, "adapter_model.safetensors"));

interface ExtractJson {
  readonly modules: readonly { readonly rank: number; readonly residual: number; readonly best: number }[];
  readonly total: { readonly change: number; readonly residual: number; readonly best: number };
  readonly savedModules: readonly string[];
}

describe("isthmus extract", () => {
  it("writes an adapter within bytes, and gives most ranks to what changed most", async () => {
    const args = ["extract", ...NETWORKS, "-o", "small", "--bytes", "20kB"];
    const { modules, total, savedModules } = await runJson<ExtractJson>(args, { cwd: folder });
    expect(weightsIn("small").length).toBeLessThanOrEqual(20_000);
    expect(modules[0]?.rank).toBeGreaterThan(modules.at(-1)?.rank ?? 0);
    expect(savedModules).toEqual(["norm"]);
    expect(total.residual / total.best).toBeCloseTo(1, 4);
    expect(readdirSync(join(folder, "small")).sort()).toEqual([
      "adapter_config.json",
      "adapter_model.safetensors",
    ]);
  });

  it("says beforehand what it would do, and refuses what contradicts itself", async () => {
    const dry = await runCli(["extract", ...NETWORKS, "--rank", "200", "--dry-run"], { cwd: folder });
    expect([dry.code, dry.stdout]).toEqual([
      0,
      expect.stringMatching(/^factors +8 modules of rank 40 at most/m),
    ]);
    const both = await runCli(["extract", ...NETWORKS, "-o", "x", "--rank", "2", "--energy", ".9"], {
      cwd: folder,
    });
    expect([both.code, both.stderr]).toEqual([
      2,
      expect.stringContaining("rank and energy; give one of them"),
    ]);
    const little = await runCli(["extract", ...NETWORKS, "--bytes", "4kB", "--dry-run"], { cwd: folder });
    expect(little.stdout).toMatch(/^too little +--bytes must be \d+ or more if every tensor changed/m);
    const alone = await runCli(["extract", ...NETWORKS, "-o", "x", "--max-rank", "3"], { cwd: folder });
    expect([alone.code, alone.stderr]).toEqual([
      2,
      expect.stringContaining("--max-rank needs --energy or --bytes"),
    ]);
    const none = await runCli(["extract", ...NETWORKS], { cwd: folder });
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining("-o must name its folder")]);
  });

  it("goes on after it was killed, and writes the same bytes", async () => {
    const args = (name: string) => ["extract", ...NETWORKS, "-o", name, "--energy", ".9", "--max-rank", "38"];
    await runCli(args("whole"), { cwd: folder });
    const killed = await runAlone(args("killed"), {
      cwd: folder,
      onStart(child) {
        const path = join(folder, "killed");
        const watch = setInterval(() => {
          const [journal] = existsSync(path)
            ? readdirSync(path).filter((name) => name.includes("survey"))
            : [];
          const lines =
            journal === undefined ? 0 : readFileSync(join(path, journal), "utf8").split("\n").length;
          if (child.exitCode === null && lines < 4) return;
          clearInterval(watch);
          child.kill("SIGKILL");
        }, 1);
      },
    });
    expect(killed.code).not.toBe(0);
    const again = await runCli(args("killed"), { cwd: folder });
    expect([again.code, again.stderr]).toEqual([0, expect.stringContaining("Going on with the comparison")]);
    expect(weightsIn("killed").equals(weightsIn("whole"))).toBe(true);
    expect(readdirSync(join(folder, "killed"))).toHaveLength(2);
  });
});
