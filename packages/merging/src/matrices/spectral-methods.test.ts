import { readFileSync } from "node:fs";
import { type Checkpoint, createCheckpoint, createTensor } from "@isthmus/core";
import { expect, test } from "vitest";
import { merge } from "../merge.ts";
import type { MergeMethod } from "../merge-method.ts";
import { ace } from "../methods/ace.ts";
import { actmat } from "../methods/actmat.ts";
import { dcMerge } from "../methods/dc-merge.ts";
import { esm } from "../methods/esm.ts";
import { linear } from "../methods/linear.ts";
import { regmeanOfGrams } from "../methods/regmean.ts";
import { singularProjection } from "../methods/singular-projection.ts";
import { tsvM } from "../methods/tsv-m.ts";
import { wudi } from "../methods/wudi.ts";
import { wudiClosedForm } from "../methods/wudi-closed-form.ts";

type Numbers = Readonly<Record<string, readonly number[]>>;
type Shapes = Readonly<Record<string, readonly number[]>>;
interface Golden {
  readonly shapes: Shapes;
  readonly base: Numbers;
  readonly networks: readonly Numbers[];
  readonly grams: readonly Numbers[];
  readonly merged: Readonly<Record<string, Numbers>>;
}

/** Results of the code of the authors of each method, by tools/golden/spectral-merges.py. */
const golden: Golden = JSON.parse(
  readFileSync(new URL("../../test/golden/spectral-merges.json", import.meta.url), "utf8"),
);
// As f64, so that methods are compared and not their rounding.
const toCheckpoint = (numbers: Numbers, shapes: Shapes): Checkpoint =>
  createCheckpoint(
    new Map(
      Object.entries(numbers).map(([name, values]) => [
        name,
        createTensor("f64", shapes[name]!, Float64Array.from(values)),
      ]),
    ),
  );
const squares = Object.fromEntries(Object.entries(golden.shapes).map(([name, [, n]]) => [name, [n!, n!]]));
const base = toCheckpoint(golden.base, golden.shapes);
const networks = golden.networks.map((numbers) => toCheckpoint(numbers, golden.shapes));
const grams = golden.grams.map((numbers) => toCheckpoint(numbers, squares));
const BIAS = "bias";
const MATRICES = Object.keys(golden.shapes).filter((name) => golden.shapes[name]!.length === 2);

type Given = Readonly<Record<string, number | string>>;
/** Merges networks by one of several methods, and subtracts the base. */
async function mergedChange(method: unknown, parameters: Given, order: readonly number[] = [0, 1, 2]) {
  const by = method as MergeMethod;
  const measured = by.needs === undefined ? [] : order.map((i) => grams[i]!);
  const options = { method: by, base, parameters, measured };
  const merged = merge(
    order.map((i) => networks[i]!),
    options,
  );
  const found: Record<string, Float64Array> = {};
  for (const name of Object.keys(golden.shapes)) {
    const { data } = await merged.read(name);
    found[name] = Float64Array.from(golden.base[name]!, (x, i) => Number(data[i]) - x);
  }
  return found;
}
const distance = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).reduce((most, x, i) => Math.max(most, Math.abs(x - b[i]!)), 0);

/**
 * Decimals to which results agree: fewer if a ridge of 1e-8 enlarges rounding errors, as the sum of the Gram
 * matrices of "thin" is singular.
 */
const digitsOf = (method: unknown, tensor: string) =>
  method === wudiClosedForm && tensor === "thin.weight" ? 6 : 9;

test.each<[string, unknown, Given]>([
  ["actmat", actmat, {}],
  ["tact", actmat, { density: 0.5 }],
  ["ace", ace, {}],
  ["wudi_closed_form", wudiClosedForm, {}],
  ["dc_merge", dcMerge, {}],
  ["dc_merge_dense", dcMerge, { density: 0.4 }],
  ["dc_merge_linear", dcMerge, { density: 0.4, smoothing: "linear" }],
  ["dc_merge_whole", dcMerge, { density: 0.4, smoothing: "none" }],
  ["esm", esm, {}],
  ["esm_unscaled", esm, { power: 0 }],
  ["singular_projection", singularProjection, { rank: 2 }],
  ["singular_projection_rest", singularProjection, { rank: 0, keep: "rest" }],
])("%s equals the code of its authors", async (name, method, parameters) => {
  const found = await mergedChange(method, parameters);
  expect(Object.keys(golden.merged[name]!).length).toBeGreaterThan(1);
  for (const [tensor, values] of Object.entries(golden.merged[name]!))
    expect([tensor, distance(values, found[tensor]!)]).toEqual([
      tensor,
      expect.closeTo(0, digitsOf(method, tensor)),
    ]);
  const mean = golden.base[BIAS]!.map(
    (x, i) => golden.networks.reduce((sum, n) => sum + n[BIAS]![i]!, 0) / 3 - x,
  );
  expect(distance(found[BIAS]!, mean)).toBeLessThan(1e-12);
});

test.each([actmat, ace, wudiClosedForm, dcMerge, esm, singularProjection])(
  "$name does not depend on the order of networks",
  async (method) => {
    const [one, other] = [await mergedChange(method, {}), await mergedChange(method, {}, [2, 0, 1])];
    for (const name of MATRICES)
      expect(distance(one[name]!, other[name]!)).toBeCloseTo(0, digitsOf(method, name));
  },
);

test.each([
  [actmat, { cutoff: 1e-13 }],
  [wudiClosedForm, { ridge: 0 }],
])(
  "$0.name of one network is that network, with nothing cut off and no ridge",
  async (method, parameters) => {
    const [own] = golden.networks;
    const found = await mergedChange(method, parameters, [0]);
    for (const name of MATRICES) {
      const change = own![name]!.map((x, i) => x - golden.base[name]![i]!);
      expect(distance(found[name]!, change)).toBeLessThan(1e-8);
    }
  },
);

test("actmat is RegMean of the differences, whose Gram matrices stand for those of the inputs", async () => {
  const name = "tall.weight";
  const [rows, columns] = golden.shapes[name] as readonly [number, number];
  const changes = golden.networks.map((network) => network[name]!.map((x, i) => x - golden.base[name]![i]!));
  const gramOf = (change: readonly number[]) =>
    Array.from({ length: columns ** 2 }, (_, p) =>
      Array.from({ length: rows }, (_, r) => r * columns).reduce(
        (sum, at) => sum + change[at + Math.floor(p / columns)]! * change[at + (p % columns)]!,
        0,
      ),
    );
  const merged = merge(
    changes.map((change) => toCheckpoint({ [name]: change }, golden.shapes)),
    {
      method: regmeanOfGrams,
      measured: changes.map((change) => toCheckpoint({ [name]: gramOf(change) }, squares)),
      parameters: { off_diagonal: 1 },
    },
  );
  const { data } = await merged.read(name);
  expect(distance((await mergedChange(actmat, {}))[name]!, data as Float64Array)).toBeLessThan(1e-10);
});

/** Loss that both forms of WUDI make small: equation 7 of its paper. */
function interference(merged: ArrayLike<number>, name: string): number {
  const [rows, columns] = golden.shapes[name] as readonly [number, number];
  const changes = golden.networks.map((network) => network[name]!.map((x, i) => x - golden.base[name]![i]!));
  let loss = 0;
  for (const change of changes) {
    const size = change.reduce((sum, x) => sum + x * x, 0);
    for (let p = 0; p < rows; p++) {
      for (let q = 0; q < rows; q++) {
        let inner = 0;
        for (let j = 0; j < columns; j++)
          inner += (merged[p * columns + j]! - change[p * columns + j]!) * change[q * columns + j]!;
        loss += inner ** 2 / size;
      }
    }
  }
  return loss;
}

test("wudi_closed_form has the least loss, to which many steps of wudi come near", async () => {
  const least = await mergedChange(wudiClosedForm, {});
  const steps = await mergedChange(wudi, { iterations: 1500, learning_rate: 3e-3 });
  for (const name of MATRICES) {
    const loss = interference(least[name]!, name);
    expect(loss).toBeLessThanOrEqual(interference(steps[name]!, name) * (1 + 1e-6));
    const nearby = least[name]!.map((x, i) => x + 1e-3 * Math.sin(i));
    expect(interference(nearby, name)).toBeGreaterThan(loss);
  }
  expect(interference(steps["tall.weight"]!, "tall.weight")).toBeLessThan(
    1.01 * interference(least["tall.weight"]!, "tall.weight"),
  );
});

test("esm without what was measured of a layer is tsv_m, and refuses files that do not fit", async () => {
  const [one, other] = [await mergedChange(esm, {}), await mergedChange(tsvM, {})];
  expect(one["mixed.weight"]).toEqual(other["mixed.weight"]);
  const by = (measured: readonly Checkpoint[]) => () => merge(networks, { method: esm, base, measured });
  expect(by([])).toThrow("Cannot merge by esm as each of 3 networks needs Gram matrices");
  expect(by([grams[0]!, networks[1]!, grams[2]!])).toThrow(
    'the weight is [6, 9], what was measured in "memory" is [6, 9]',
  );
  expect(() => merge(networks, { method: linear, measured: grams })).toThrow(
    "needs nothing that was measured",
  );
});

test("changes of layers that no network changed, or whose outputs they do not change, are 0", async () => {
  const zeros = golden.grams.map((numbers) =>
    toCheckpoint(Object.fromEntries(Object.entries(numbers).map(([k, v]) => [k, v.map(() => 0)])), squares),
  );
  const merged = merge(networks, { method: esm, base, measured: zeros });
  expect((await merged.read("wide.weight")).data).toEqual(Float64Array.from(golden.base["wide.weight"]!));
  const same = merge([base, base, base], { method: esm, base, measured: grams });
  expect((await same.read("wide.weight")).data).toEqual(Float64Array.from(golden.base["wide.weight"]!));
});
