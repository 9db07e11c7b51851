import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createCheckpoint } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { networkOfConfig } from "@isthmus/zoo";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { waves } from "../../../../../test/helpers/waves.ts";
import { saveDense } from "../../../test/dense-models.ts";
import type { DenseModel } from "../dense-model.ts";
import type { GateContext } from "../gate-mode.ts";
import { findGateMode, GATE_MODES } from "../gate-modes.ts";
import { openDenseModel } from "../open-dense-model.ts";

interface Golden {
  readonly config: Readonly<Record<string, unknown>>;
  readonly experts: readonly (readonly (readonly (readonly number[])[])[])[];
  readonly hidden: readonly (readonly number[])[];
  readonly cheap_embed: readonly (readonly number[])[];
}

const golden: Golden = JSON.parse(
  readFileSync(new URL("../../../test/golden/gates.json.golden", import.meta.url), "utf8"),
);
const folder = mkdtempSync(join(tmpdir(), "isthmus-gates-"));
let base: DenseModel;
beforeAll(async () => {
  const { graph } = networkOfConfig(golden.config);
  const names = [...graph.weights].sort(([a], [b]) => (a < b ? -1 : 1));
  const tensors = names.map(([name, { shape }], i) => {
    const [, columns] = shape;
    return [
      name,
      columns === undefined ? waves(shape, i + 1, 0.3, 1) : waves(shape, i + 1, Math.sqrt(2 / columns)),
    ] as const;
  });
  await saveDense(folder, { config: golden.config, weights: createCheckpoint(new Map(tensors)) });
  base = await openDenseModel(folder);
});
afterAll(async () => {
  await base.checkpoint.close();
  rmSync(folder, { recursive: true });
});

const spell = (ids: readonly number[]) => ids.map((id) => "abcdefghijkl"[id]).join("");

function contextOf(change: Partial<GateContext> = {}): GateContext {
  const experts = golden.experts.map(([positive = [], negative = []]) => ({
    recipe: {
      source_model: folder,
      positive_prompts: positive.map(spell),
      negative_prompts: negative.map(spell),
    },
    model: base,
    isShared: false,
  }));
  const engine = createOnnxRuntimeEngine();
  const nothing = () => {};
  return {
    base,
    experts,
    active: 2,
    reads: "layer",
    seed: 0,
    engine,
    signal: undefined,
    onProgress: nothing,
    onNote: nothing,
    ...change,
  };
}

describe("gates", () => {
  it.each(["hidden", "cheap_embed"] as const)("of the mode %s are those of mergekit", async (mode) => {
    const gates = await findGateMode(mode).compute(contextOf());
    expect(gates).toHaveLength(2);
    for (const [layer, rows] of golden[mode].entries())
      for (const [i, value] of rows.entries()) expect(gates[layer]?.[i]).toBeCloseTo(value, 5);
  });

  it("of hidden_avg are those of hidden for prompts of one token, and of longer ones others", async () => {
    const one = { source_model: folder, positive_prompts: ["b"], negative_prompts: [] };
    const experts = [{ recipe: one, model: base, isShared: false }];
    const [last, average] = await Promise.all(
      ["hidden", "hidden_avg"].map((mode) => findGateMode(mode).compute(contextOf({ experts }))),
    );
    expect(average).toEqual(last);
    const longer = await findGateMode("hidden_avg").compute(contextOf());
    expect(longer).not.toEqual(await findGateMode("hidden").compute(contextOf()));
  });

  it("that are random follow their seed, and are as wide as they say", async () => {
    const draw = (mode: string, seed: number) => findGateMode(mode).compute(contextOf({ seed }));
    for (const mode of ["random", "uniform"]) {
      expect(await draw(mode, 1)).toEqual(await draw(mode, 1));
      expect(await draw(mode, 1)).not.toEqual(await draw(mode, 2));
    }
    const [first, second] = await draw("uniform", 0);
    expect(Math.max(...(first ?? []).map(Math.abs))).toBeLessThanOrEqual(1 / Math.sqrt(8));
    expect(first).not.toEqual(second);
  });

  it("need an engine if they run the base, and tokens that it has", async () => {
    const hidden = findGateMode("hidden");
    await expect(async () => hidden.compute(contextOf({ engine: undefined }))).rejects.toThrow(
      /an engine must be given/,
    );
    for (const [text, why] of [
      ["b!", /one is -1, and the base has 12 rows/],
      ["", /it has none/],
      ["b".repeat(17), /at most 16 tokens.*: it has 17/],
    ] as const) {
      const recipe = { source_model: folder, positive_prompts: [text] };
      const experts = [{ recipe, model: base, isShared: false }];
      await expect(hidden.compute(contextOf({ experts }))).rejects.toThrow(why);
    }
    expect(() => findGateMode("hiden")).toThrow(/must be one of hidden/);
    const names = GATE_MODES.flatMap(({ name, also = [] }) => [name, ...also]);
    expect(new Set(names).size).toBe(names.length);
  });
});
