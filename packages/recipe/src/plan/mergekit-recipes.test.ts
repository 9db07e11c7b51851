import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Checkpoint, openCheckpoint, toFloat64 } from "@isthmus/core";
import {
  MERGE_METHODS,
  type MergeMethod,
  type MergePlan,
  mergeByPlan,
  type PlannedSource,
} from "@isthmus/merging";
import { afterAll, describe, expect, test } from "vitest";
import { METHODS } from "../../test/mergekit-methods.ts";
import { readRecipe } from "../read/parse-recipe.ts";
import { planRecipe } from "./plan-recipe.ts";

/** Written by tools/golden/recipes.py with mergekit 0.1.5. */
const folder = fileURLToPath(new URL("../../test/golden/recipes", import.meta.url));
const names = readdirSync(folder)
  .filter((name) => name.endsWith(".yml"))
  .map((name) => basename(name, ".yml"));

const opened: Checkpoint[] = [];
afterAll(() => Promise.all(opened.map((checkpoint) => checkpoint.close())));

async function open(path: string): Promise<Checkpoint> {
  const checkpoint = await openCheckpoint(path);
  opened.push(checkpoint);
  return checkpoint;
}

async function planOf(name: string): Promise<MergePlan> {
  const recipe = await readRecipe(join(folder, `${name}.yml`));
  return planRecipe(recipe, { open: (reference) => open(join(folder, String(reference))), methods: METHODS });
}

/** What mergekit planned for a tensor of the result. */
interface GoldenTensor {
  readonly base: string | null;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly inputs: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** Describes a plan as the golden one does; a parameter that mergekit leaves open is 1. */
function describePlan({ tensors, networks }: MergePlan) {
  const modelOf = ({ network }: PlannedSource) => basename(networks[network]?.source ?? "");
  return Object.fromEntries(
    [...tensors].map(([name, { method, sources, base, parameters }]) => {
      const ofNetworks = Object.entries(parameters).filter(
        ([key]) => method?.parameters[key]?.of === "network",
      );
      const ofMerge = Object.entries(parameters).filter(([key]) => method?.parameters[key]?.of === "merge");
      const inputs = sources.map((source, i) => [
        modelOf(source),
        {
          tensor: source.tensor,
          ...Object.fromEntries(ofNetworks.map(([key, values]) => [key, [values].flat()[i]])),
        },
      ]);
      return [
        name,
        {
          parameters: Object.fromEntries(ofMerge),
          inputs: Object.fromEntries(inputs),
          base: base && { model: modelOf(base), tensor: base.tensor },
        },
      ];
    }),
  );
}

const near = (value: unknown): unknown => {
  if (value === null) return 1;
  return typeof value === "number" ? expect.closeTo(value, 12) : value;
};
/** Values that our method has, too; mergekit lists switches that some of its methods have in common. */
const nearAll = (values: Readonly<Record<string, unknown>>, method: MergeMethod | undefined) => {
  const ours = Object.entries(values).filter(
    ([key]) => key === "tensor" || key in (method?.parameters ?? {}),
  );
  return Object.fromEntries(ours.map(([key, value]) => [key, near(value)]));
};

describe.each(names)("recipe %s", (name) => {
  test("is planned as mergekit plans it: tensors, sources and parameters", async () => {
    const golden: Record<string, GoldenTensor> = JSON.parse(
      readFileSync(join(folder, `${name}.plan.json`), "utf8"),
    );
    const plan = await planOf(name);
    expect([...plan.tensors.keys()].sort()).toEqual(Object.keys(golden).sort());
    const described = describePlan(plan);
    for (const [tensor, { base, parameters, inputs }] of Object.entries(golden)) {
      const ours = described[tensor];
      // A base that the method compares with is none of the networks.
      const { [ours?.base === undefined ? "" : String(base)]: ofBase, ...others } = inputs;
      expect(ours?.base?.tensor).toBe(ofBase?.["tensor"]);
      expect(ours?.parameters).toMatchObject(nearAll(parameters, plan.tensors.get(tensor)?.method));
      expect(Object.keys(ours?.inputs ?? {}).sort()).toEqual(Object.keys(others).sort());
      for (const [model, input] of Object.entries(others))
        expect(ours?.inputs[model]).toMatchObject(nearAll(input, plan.tensors.get(tensor)?.method));
    }
  });

  const method = /^merge_method: (\w+)$/m.exec(readFileSync(join(folder, `${name}.yml`), "utf8"))?.[1] ?? "";
  const isRun =
    readdirSync(folder).includes(`${name}.safetensors`) &&
    (MERGE_METHODS.has(method) || method === "passthrough");
  test.runIf(isRun)("gives the tensors that mergekit made, to rounding", async () => {
    const [merged, golden] = [
      mergeByPlan(await planOf(name)),
      await open(join(folder, `${name}.safetensors`)),
    ];
    expect(merged.tensors.size).toBe(golden.tensors.size);
    for (const [tensor, info] of golden.tensors) {
      expect(merged.tensors.get(tensor)).toEqual({ dtype: info.dtype, shape: info.shape });
      const [ours, theirs] = [await merged.read(tensor), await golden.read(tensor)];
      const expected = toFloat64(theirs.data, info.dtype);
      // mergekit sums cosines and norms in f32, which costs some units of the last place beside ours.
      const rounding = info.dtype === "bf16" ? 2 ** -8 : 2 ** -20;
      for (const [i, x] of toFloat64(ours.data, info.dtype).entries())
        expect(Math.abs(x - (expected[i] ?? Number.NaN))).toBeLessThanOrEqual(
          rounding * Math.max(1, Math.abs(x)),
        );
    }
  });
});
