import {
  type Checkpoint,
  createCheckpoint,
  createTensor,
  DTYPES,
  OutOfRangeError,
  toFloat64,
} from "@isthmus/core";
import { lerp } from "@isthmus/interpolation";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type MergeOptions, merge } from "./merge.ts";
import type { MergeMethod } from "./merge-method.ts";
import { MERGE_METHODS } from "./methods.ts";
import type { GivenParameters, ParameterSpecs } from "./parameters.ts";
import { decayWeights, emaWeights, scheduleWeights, windowWeights } from "./series/series-weights.ts";

const SHAPE = [2, 3, 4];
const SIZE = 24;
type Options = Omit<MergeOptions, "method">;
const methodOf = (name: string): MergeMethod => MERGE_METHODS.get(name)!;
const networkOf = (values: readonly number[], source = "memory"): Checkpoint =>
  createCheckpoint({ w: createTensor("f32", SHAPE, Float32Array.from(values)) }, {}, source);
const numbersOf = async (checkpoint: Checkpoint, name = "w"): Promise<number[]> => {
  const { data, dtype } = await checkpoint.read(name);
  return [...toFloat64(data, dtype)];
};
const mergeBy = (name: string, networks: readonly Checkpoint[], options: Options = {}) =>
  merge(networks, {
    method: methodOf(name),
    ...(name === "slerp" && { parameters: { t: 0.5 } }),
    ...options,
  });

// Whole multiples of a small number, so that no product underflows.
const values = fc.array(
  fc.integer({ min: -900, max: 900 }).map((x) => x / 64),
  { minLength: SIZE, maxLength: SIZE },
);
const weight = fc.double({ min: 0.05, max: 3, noNaN: true });

/** Checks that results agree to some units in the last place of f32, of the largest input. */
function expectNear(result: readonly number[], expected: readonly number[], units = 16): void {
  const largest = Math.max(1e-30, ...expected.map(Math.abs));
  for (const [i, x] of expected.entries())
    expect(Math.abs(result[i]! - x)).toBeLessThan(units * 2 ** -24 * largest);
}

/** Methods with parameters that are not their defaults, so that every path is taken. */
const VARIANTS: readonly [string, GivenParameters<ParameterSpecs>, boolean][] = [
  ["linear", { weight: [3, 1, 2] }, false],
  ["linear", { weight: [3, -1, 2], normalize: false }, false],
  ["multislerp", { weight: [3, 1, 2] }, true],
  ["multislerp", { weight: [3, 1, 2], normalize_weights: false }, false],
  ["karcher", { weight: [3, 1, 2] }, false],
  ["magmax", { lambda: 1 }, true],
  ["consensus_ta", { lambda: 1, prune_threshold: 1 }, true],
  ["tall_mask", { task: 2 }, true],
  ["swa", { start: 1 }, false],
  ["lawa", { window: 2 }, false],
  ["wsm", { schedule: "cosine" }, false],
  ["extra_merge", { window: 2, alpha: 1.5 }, false],
];
const NUSLERPS: typeof VARIANTS = [true, false].flatMap((nuslerp_flatten) =>
  [true, false].flatMap((nuslerp_row_wise) =>
    [true, false].map((based) => ["nuslerp", { nuslerp_flatten, nuslerp_row_wise }, based]),
  ),
);

describe.each([...VARIANTS, ...NUSLERPS])("%s with %j, base: %s", (name, parameters, based) => {
  const count = methodOf(name).networks.most ?? 3;
  const options = (base: Checkpoint): Options => ({ parameters, ...(based ? { base } : {}) });

  test("gives the same however a tensor is cut into ranges", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(values, { minLength: count + 1, maxLength: count + 1 }),
        fc.integer({ min: 0, max: SIZE }),
        async ([base = [], ...all], cut) => {
          const merged = mergeBy(
            name,
            all.map((x) => networkOf(x)),
            options(networkOf(base)),
          );
          const whole = await numbersOf(merged).catch(() => undefined);
          // Directions that cancel out have no mean, whatever the range.
          if (whole === undefined) return;
          const [tail, head] = await Promise.all([
            merged.readRange("w", cut, SIZE),
            merged.readRange("w", 0, cut),
          ]);
          expect([...head, ...tail].map(Number)).toEqual(whole);
        },
      ),
      { numRuns: 40 },
    ));

  test("gives back a network merged with itself that is its own base, or with a sum of weights of 1", () =>
    fc.assert(
      fc.asyncProperty(values, async (x) => {
        if (parameters["normalize"] === false || parameters["normalize_weights"] === false) return;
        const network = networkOf(x);
        const merged = mergeBy(name, Array<Checkpoint>(count).fill(network), options(network));
        expect(await numbersOf(merged)).toEqual(x);
      }),
    ));
});

describe("symmetric methods", () => {
  test.each([
    ["linear", false],
    ["multislerp", true],
    ["karcher", false],
    ["consensus_ta", true],
    ["swa", false],
  ] as const)("%s needs no order of networks", (name, based) =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(values, weight), { minLength: 3, maxLength: 3 }),
        values,
        async (drawn, below) => {
          // Of one sign, so that directions do not cancel out.
          const pairs = drawn.map(([x, w]) => [x.map((a) => 1 + Math.abs(a)), w] as const);
          const origin = below.map((a) => -Math.abs(a));
          const weighted = "weight" in methodOf(name).parameters;
          const mergeAll = async (all: typeof pairs) =>
            numbersOf(
              mergeBy(
                name,
                all.map(([x]) => networkOf(x)),
                {
                  ...(weighted ? { parameters: { weight: all.map(([, w]) => w) } } : {}),
                  ...(based ? { base: networkOf(origin) } : {}),
                },
              ),
            );
          const [result, turned] = [await mergeAll(pairs), await mergeAll([...pairs].reverse())];
          expectNear(turned, result);
        },
      ),
    ),
  );
});

describe("weights of a series", () => {
  const count = fc.integer({ min: 1, max: 30 });
  test("sum to 1, and none is negative", () =>
    fc.assert(
      fc.property(count, count, fc.double({ min: 0, max: 1, noNaN: true }), (n, window, decay) => {
        const schedules = (["1-sqrt", "linear", "cosine"] as const).map((s) => scheduleWeights(n, s));
        for (const weights of [windowWeights(n, window), emaWeights(n, decay), ...schedules]) {
          expect(weights).toHaveLength(n);
          expect(Math.min(...weights)).toBeGreaterThanOrEqual(0);
          expect(weights.reduce((sum, w) => sum + w)).toBeCloseTo(1, 12);
        }
      }),
    ));

  test("are those of the published rules", () => {
    expect(windowWeights(4, 2)).toEqual([0, 0, 0.5, 0.5]);
    expect(emaWeights(3, 0.5)).toEqual([0.25, 0.25, 0.5]);
    expect(decayWeights([0.7, 0.2])).toEqual([1 - 0.7, 0.7 - 0.2, 0.2]);
    expect(scheduleWeights(4, "linear")).toEqual([0.25, 0.25, 0.25, 0.25]);
    expect(scheduleWeights(4, "1-sqrt")[0]).toBe(0.5);
    expect(() => decayWeights([0.5, 0.6])).toThrow("factor 2 is 0.6, after 0.5");
    expect(() => decayWeights([1.5])).toThrow("must fall from 1 towards 0");
  });

  test("take counters from the latest checkpoint, and do not read what they leave out", async () => {
    const step = (n: bigint) =>
      createCheckpoint({
        w: createTensor("f32", [1], Float32Array.of(Number(n))),
        steps: createTensor("i64", [], BigInt64Array.of(n)),
      });
    const unread: Checkpoint = { ...step(0n), readRangeInto: async () => expect.fail("read") };
    const merged = mergeBy("lawa", [unread, step(5n), step(7n)], { parameters: { window: 2 } });
    expect((await merged.read("steps")).data).toEqual(BigInt64Array.of(7n));
    expect(await numbersOf(merged)).toEqual([6]);
    const weighted = mergeBy("linear", [step(3n), unread, step(7n)], { parameters: { weight: [1, 0, 3] } });
    expect(await numbersOf(weighted)).toEqual([6]);
    const nothing = { parameters: { weight: [0, 0], normalize: false } };
    expect(await numbersOf(mergeBy("linear", [step(3n), unread], nothing))).toEqual([0]);
  });
});

describe("methods of one run", () => {
  const run = [1, 2].map((x) => networkOf(Array<number>(SIZE).fill(x)));

  test.each([
    ["swa", { start: 9 }, /"start" of swa must be in \[0, 1\], as there are 2 checkpoints: it is 9/],
    ["lawa", { window: 3 }, /"window" of lawa must be in \[1, 2\], as there are 2 checkpoints: it is 3/],
    ["extra_merge", { window: 2 }, /"window" of extra_merge must be in \[1, 1\], as there are 2/],
  ])("%s refuses a number that no checkpoint meets", (name, parameters, message) => {
    expect(() => mergeBy(name, run, { parameters })).toThrow(OutOfRangeError);
    expect(() => mergeBy(name, run, { parameters })).toThrow(message);
  });

  test("take what there is by their defaults", async () => {
    expect(await numbersOf(mergeBy("lawa", run))).toEqual(Array(SIZE).fill(1.5));
    expect(await numbersOf(mergeBy("swa", run, { parameters: { start: 1 } }))).toEqual(Array(SIZE).fill(2));
  });
});

describe("extra_merge", () => {
  test("stays on the line of a run that goes straight on, however its checkpoints swing around it", async () => {
    const swing = [1, -1, 1, -1];
    const run = swing.map((side, i) => networkOf(Array.from({ length: SIZE }, (_, k) => i * k + side)));
    const beyond = mergeBy("extra_merge", run, { parameters: { window: 2, alpha: 1 } });
    // The averages are at 0.5 k and 2.5 k: the point as far behind the second is at 4.5 k.
    expect(await numbersOf(beyond)).toEqual(Array.from({ length: SIZE }, (_, k) => 4.5 * k));
  });

  test("is lawa if it goes no further, and then does not read the early checkpoints", async () => {
    const run = [1, 2, 4, 8].map((x) => networkOf(Array<number>(SIZE).fill(x)));
    const still: Checkpoint[] = [
      { ...run[0]!, readRangeInto: async () => expect.fail("read") },
      ...run.slice(1),
    ];
    const merged = mergeBy("extra_merge", still, { parameters: { window: 3, alpha: 0 } });
    expect(await numbersOf(merged)).toEqual(
      await numbersOf(mergeBy("lawa", run, { parameters: { window: 3 } })),
    );
    expect(await numbersOf(mergeBy("extra_merge", run.slice(0, 1)))).toEqual(Array(SIZE).fill(1));
  });
});

describe("means on the sphere", () => {
  test("multislerp of two networks is slerp, whatever the weights: mergekit's is not", () =>
    fc.assert(
      fc.asyncProperty(values, values, fc.double({ min: 0.01, max: 0.99, noNaN: true }), async (x, y, t) => {
        const pair = [networkOf(x), networkOf(y)];
        const parameters = { weight: [1 - t, t] };
        const ours = await numbersOf(mergeBy("multislerp", pair, { parameters })).catch(() => undefined);
        if (ours === undefined) return;
        const [lengthX, lengthY] = [Math.hypot(...x), Math.hypot(...y)];
        fc.pre(lengthX > 0 && lengthY > 0);
        // On unit vectors the arc keeps the length 1; the mean of the lengths is put on it.
        const unit = (v: readonly number[], length: number) => networkOf(v.map((a) => a / length));
        const arc = mergeBy("nuslerp", [unit(x, lengthX), unit(y, lengthY)], { parameters });
        const cosine = x.reduce((sum, a, i) => sum + a * y[i]!, 0) / lengthX / lengthY;
        fc.pre(Math.abs(cosine) < 0.99);
        const length = (1 - t) * lengthX + t * lengthY;
        expectNear(
          ours,
          (await numbersOf(arc)).map((a) => length * a),
          64,
        );
      }),
    ));

  test("karcher ends where the ways to all networks cancel", async () => {
    const all = [0, 1, 2].map((k) =>
      networkOf(Array.from({ length: SIZE }, (_, i) => Math.sin(i * (k + 2)) + 0.5)),
    );
    const merged = mergeBy("karcher", all, { parameters: { max_iter: 50, tol: 1e-12 } });
    const point = (await numbersOf(merged)).map((x, _, list) => x / Math.hypot(...list));
    const sum = new Float64Array(SIZE);
    for (const network of all) {
      const unit = (await numbersOf(network)).map((x, _, list) => x / Math.hypot(...list));
      const cosine = unit.reduce((total, x, i) => total + x * point[i]!, 0);
      const scale = Math.acos(cosine) / Math.sqrt(1 - cosine * cosine);
      for (let i = 0; i < SIZE; i++) sum[i] = sum[i]! + scale * (unit[i]! - cosine * point[i]!);
    }
    expect(Math.hypot(...sum)).toBeLessThan(1e-6);
  });

  test("a tensor of one number is averaged on the line, opposite signs too", async () => {
    const one = (x: number) => createCheckpoint({ w: createTensor("f32", [1], Float32Array.of(x)) });
    for (const name of ["slerp", "multislerp", "karcher", "nuslerp"]) {
      expect(await numbersOf(mergeBy(name, [one(3), one(-1)]))).toEqual([1]);
    }
  });

  test("directions that cancel out are an error that says what to do; mergekit goes through zero", async () => {
    const x = Array.from({ length: SIZE }, (_, i) => Math.sin(i));
    const pair = [
      networkOf(x, "a"),
      networkOf(
        x.map((a) => -a),
        "b",
      ),
    ];
    await expect(mergeBy("slerp", pair).read("w")).rejects.toThrow(
      'Cannot merge "w" of "a" and "b" by slerp as they must not point in opposite directions',
    );
    for (const name of ["multislerp", "karcher"]) {
      await expect(mergeBy(name, pair).read("w")).rejects.toThrow("use other weights, or method linear");
    }
  });

  test("slerp keeps its line up to the threshold, and exact arcs below it", async () => {
    const x = Array.from({ length: SIZE }, (_, i) => Math.sin(i) + 2);
    const y = x.map((a, i) => a + 0.02 * Math.cos(3 * i));
    const pair = [networkOf(x), networkOf(y)] as const;
    expect(await numbersOf(mergeBy("slerp", pair, { parameters: { t: 0.3 } }))).toEqual(
      await numbersOf(lerp(...pair, 0.3)),
    );
    const arc = mergeBy("slerp", pair, { parameters: { t: 0.3, dot_threshold: 1 } });
    const spherical = mergeBy("nuslerp", pair, { parameters: { weight: [0.7, 0.3] } });
    expectNear(await numbersOf(arc), await numbersOf(spherical), 2);
    expect(await numbersOf(arc)).not.toEqual(await numbersOf(lerp(...pair, 0.3)));
  });
});

describe("linear", () => {
  test("without normalising is a plain sum, and refuses weights of sum 0 with it", async () => {
    const pair = [networkOf(Array(SIZE).fill(3)), networkOf(Array(SIZE).fill(5))];
    const sum = mergeBy("linear", pair, { parameters: { weight: [1, -1], normalize: false } });
    expect(await numbersOf(sum)).toEqual(Array(SIZE).fill(-2));
    const normalized = mergeBy("linear", pair, { parameters: { weight: [1, -1] } });
    await expect(normalized.read("w")).rejects.toThrow("of a sum other than 0");
  });

  test("merges more networks than are held at a time, range by range", async () => {
    const size = 40_000;
    let largest = 0;
    const networks = Array.from({ length: 1000 }, (_, k): Checkpoint => {
      const network = createCheckpoint({ w: createTensor("f32", [size], new Float32Array(size).fill(k)) });
      return {
        ...network,
        readRangeInto(name, begin, out) {
          largest = Math.max(largest, out.length);
          return network.readRangeInto(name, begin, out);
        },
      };
    });
    const merged = merge(networks, { method: methodOf("linear") });
    for (const x of await numbersOf(merged)) expect(x).toBeCloseTo(499.5, 3);
    expect(largest * networks.length * DTYPES.f32.bytes).toBeLessThan(20 * 2 ** 20);
  });
});

describe("passthrough, expo, tall_mask", () => {
  test("scale, go beyond, and refuse a task that is not there", async () => {
    const [x, base] = [networkOf(Array(SIZE).fill(3)), networkOf(Array(SIZE).fill(1))];
    expect(await numbersOf(mergeBy("passthrough", [x], { parameters: { scale: -2 } }))).toEqual(
      Array(SIZE).fill(-6),
    );
    expect(await numbersOf(mergeBy("expo", [x], { base, parameters: { alpha: 0.5 } }))).toEqual(
      Array(SIZE).fill(4),
    );
    await expect(mergeBy("tall_mask", [x], { base, parameters: { task: 1 } }).read("w")).rejects.toThrow(
      'as "task" of tall_mask must be the position of one of 1 networks: it is 1',
    );
  });
});
