import { readFileSync } from "node:fs";
import { type Checkpoint, createCheckpoint, createTensor } from "@isthmus/core";
import { createMatrix, multiply, svd } from "@isthmus/linear-algebra";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { merge } from "../merge.ts";
import type { MergeMethod } from "../merge-method.ts";
import { MERGE_METHODS } from "../methods.ts";

type Numbers = Readonly<Record<string, readonly number[]>>;
type Parameters = Readonly<Record<string, number | string | readonly number[]>>;

const readGolden = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../test/golden/${name}.json`, import.meta.url), "utf8"));
const given: { readonly shapes: Numbers; readonly base: Numbers; readonly networks: readonly Numbers[] } =
  readGolden("matrix-merges");
/** Merges by the code of the methods' authors, made by tools/golden/author-merges.py. */
const golden: readonly {
  readonly method: string;
  readonly parameters: Parameters;
  readonly merged: Numbers;
}[] = readGolden("author-merges");

const toCheckpoint = (numbers: Numbers, shapes: Numbers): Checkpoint =>
  createCheckpoint(
    Object.fromEntries(
      Object.entries(shapes).map(([name, shape]) => [
        name,
        createTensor("f64", shape, Float64Array.from(numbers[name]!)),
      ]),
    ),
  );

async function mergeBy(name: string, networks: readonly Numbers[], base: Numbers, options: MergeOptions) {
  const { parameters = {}, shapes, tensor } = options;
  const merged = merge(
    networks.map((network) => toCheckpoint(network, shapes)),
    {
      method: MERGE_METHODS.get(name) as MergeMethod,
      base: toCheckpoint(base, shapes),
      parameters: parameters as Record<string, number>,
    },
  );
  return [...((await merged.read(tensor)).data as Float64Array)];
}
interface MergeOptions {
  readonly parameters?: Parameters;
  readonly shapes: Numbers;
  readonly tensor: string;
}

test.each(golden.map((of) => [`${of.method} ${JSON.stringify(of.parameters)}`, of] as const))(
  "%s is what the authors' code makes",
  async (_, { method, parameters, merged }) => {
    const { networks, base, shapes } = given;
    for (const [tensor, values] of Object.entries(merged)) {
      const found = await mergeBy(method, networks, base, { parameters, shapes, tensor });
      // Golden numbers have 7 digits and are below 4; scores of pcb are ranked in f32.
      for (const [i, value] of values.entries()) expect(found[i]).toBeCloseTo(value, 5.7);
    }
  },
);

const SHAPES = { w: [4, 3] };
const SIZE = 12;
const matrix = fc.array(fc.double({ min: -4, max: 4, noNaN: true }), { minLength: SIZE, maxLength: SIZE });
const several = fc.array(matrix, { minLength: 2, maxLength: 4 });
const run = (name: string, all: readonly (readonly number[])[], base: readonly number[], parameters = {}) =>
  mergeBy(
    name,
    all.map((w) => ({ w })),
    { w: base },
    { parameters, shapes: SHAPES, tensor: "w" },
  );
const sizeOf = (w: readonly number[]) => w.reduce((sum, x) => sum + Math.abs(x), 0);
const less = (w: readonly number[], base: readonly number[]) => w.map((x, i) => x - base[i]!);
const expectNear = (found: readonly number[], expected: readonly number[], digits = 9) => {
  for (const [i, x] of expected.entries()) expect(found[i]).toBeCloseTo(x, digits);
};

describe("laws", () => {
  test("cart is the average with all directions, or none, whatever the factor and the base", () =>
    fc.assert(
      fc.asyncProperty(
        several,
        matrix,
        fc.double({ min: -2, max: 3, noNaN: true }),
        async (all, base, lambda) => {
          const mean = base.map((_, i) => all.reduce((sum, w) => sum + w[i]!, 0) / all.length);
          for (const rank_ratio of [0, 1])
            expectNear(await run("cart", all, base, { rank_ratio, lambda }), mean);
        },
      ),
      { numRuns: 20 },
    ));

  test("cart adds what the smallest directions are worth, in f64", async () => {
    const zero = Array<number>(SIZE).fill(0);
    const networks = [zero.with(1, 2), zero, zero, zero.with(6, 3).with(7, -4e-10)];
    const mean = zero.with(1, 0.5).with(6, 0.75).with(7, -1e-10);
    expectNear(await run("cart", networks, zero, { rank_ratio: 1, lambda: 3 }), mean, 14);
  });

  test.each(["cart", "emr", "ortho_merge"])("%s of one network is the network", (name) =>
    fc.assert(
      fc.asyncProperty(matrix, matrix, async (w, base) => {
        expectNear(await run(name, [w], base), w);
      }),
      { numRuns: 20 },
    ),
  );

  test("emr gives a network's changes their mean size back, with signs of its own alone", () =>
    fc.assert(
      fc.asyncProperty(several, matrix, async (all, base) => {
        for (const [task, w] of all.entries()) {
          const own = less(w, base);
          const found = less(await run("emr", all, base, { task }), base);
          for (const [i, x] of found.entries()) if (x !== 0) expect(Math.sign(x)).toBe(Math.sign(own[i]!));
          if (sizeOf(found) > 0) expect(sizeOf(found) / sizeOf(own)).toBeCloseTo(1, 9);
        }
      }),
      { numRuns: 20 },
    ));

  test("pcb keeps every element between the base and the longest weighted change, and does not see the order", () =>
    fc.assert(
      fc.asyncProperty(
        several,
        matrix,
        fc.double({ min: 0, max: 1, noNaN: true }),
        async (all, base, density) => {
          const found = await run("pcb", all, base, { density, lambda: 1 });
          const longest = Math.max(...all.flatMap((w) => less(w, base)).map(Math.abs));
          for (const x of less(found, base)) expect(Math.abs(x)).toBeLessThanOrEqual(longest * (1 + 1e-6));
          expectNear(await run("pcb", all.toReversed(), base, { density, lambda: 1 }), found, 5);
        },
      ),
      { numRuns: 20 },
    ));

  test("ortho_merge of rotated bases is a rotated base, whose rows keep lengths and angles", () =>
    fc.assert(
      fc.asyncProperty(matrix, fc.array(matrix, { minLength: 2, maxLength: 3 }), async (base, turns) => {
        const from = createMatrix(4, 3, Float64Array.from(base));
        if (svd(from).values[2]! < 0.1) return;
        const networks = turns.map((turn) => [...multiply(from, rotation(turn)).data]);
        const found = createMatrix(4, 3, Float64Array.from(await run("ortho_merge", networks, base)));
        const gramOf = (of: typeof from) => [...multiply(of, of, { transposeRight: true }).data];
        expectNear(gramOf(found), gramOf(from), 4);
      }),
      { numRuns: 20 },
    ));

  test("a network that mirrors its base is refused by nothing, and brought back", async () => {
    const base = [2, 0, 0, 0, 1, 0, 0, 0, 3, 1, 1, 1];
    const mirrored = base.map((x, i) => (i % 3 === 0 ? -x : x));
    expectNear(await run("ortho_merge", [mirrored], base), mirrored, 6);
  });

  test("ortho_merge refuses what is not finite", async () => {
    const w = Array<number>(SIZE).fill(1);
    await expect(run("ortho_merge", [w.with(3, Number.NaN)], w)).rejects.toThrow("must be finite");
  });

  test("emr refuses a task that is no network", async () => {
    const w = Array<number>(SIZE).fill(1);
    await expect(run("emr", [w, w], w, { task: 2 })).rejects.toThrow('"task" of emr must be the position');
  });
});

/** The rotation by an angle of at most 2 about an axis, by Rodrigues' formula. */
function rotation([x = 0, y = 0, z = 0, size = 0]: readonly number[]) {
  const length = Math.hypot(x, y, z);
  const [a, b, c] = length < 1e-3 ? [1, 0, 0] : [x / length, y / length, z / length];
  const [s, t] = [Math.sin(size / 2), 1 - Math.cos(size / 2)];
  const data = [
    ...[1 - t * (b * b + c * c), t * a * b - s * c, t * a * c + s * b],
    ...[t * a * b + s * c, 1 - t * (a * a + c * c), t * b * c - s * a],
    ...[t * a * c - s * b, t * b * c + s * a, 1 - t * (a * a + b * b)],
  ];
  return createMatrix(3, 3, Float64Array.from(data));
}
