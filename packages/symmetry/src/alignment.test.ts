import { createCheckpoint, createRandom, MismatchError, type Tensor } from "@isthmus/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Alignment, compose, identityAlignment, invert } from "./alignment.ts";
import { assertAlignment } from "./assert-alignment.ts";
import { completeFollowers, completeUnits } from "./complete-units.ts";
import { decodeSpec } from "./encode/decode-spec.ts";
import { permute } from "./permute.ts";
import { randomAlignment } from "./random-alignment.ts";
import type { SymmetrySpec } from "./spec.ts";

/** Plain, nested below it, nested below two at once, and followers; tied, grouped and fused weights. */
const spec: SymmetrySpec = decodeSpec({
  format: "isthmus-symmetries",
  version: 1,
  symmetries: [
    { name: "heads", size: 3 },
    { name: "inner", size: 4, parents: [[[0, 3]]] },
    { name: "groups", size: 2 },
    {
      name: "between",
      size: 2,
      parents: [
        [
          [0, 1],
          [0, 1],
          [1, 1],
          [1, 1],
          [2, 1],
          [2, 1],
        ],
        [
          [15, 2],
          [15, 2],
          [15, 2],
        ],
      ],
    },
  ],
  followers: [
    {
      parents: [
        [
          [0, 3],
          [0, 3],
        ],
        [
          [15, 1, 0],
          [15, 1, 0],
          [15, 1, 0],
          [16, 1],
          [16, 1],
          [16, 1],
        ],
      ],
    },
  ],
  weights: {
    fused: {
      shape: [24, 5],
      fields: [
        {
          axes: [0],
          units: [
            [3, 12],
            [3, 12],
          ],
          ranks: [
            [0, 12, 0],
            [1, 12, 0],
          ],
        },
      ],
    },
    square: {
      shape: [12, 12],
      fields: [
        { axes: [0], units: "between" },
        { axes: [1], units: "inner" },
      ],
    },
    grouped: {
      shape: [12, 4, 2],
      view: [3, 4, 4, 2],
      fields: [
        { axes: [0, 1], units: "inner" },
        { axes: [0, 2], units: "inner" },
      ],
    },
    following: { shape: [6], role: "statistic", fields: [{ axes: [0], units: [[29, 6]] }] },
    partly: {
      shape: [5],
      fields: [
        {
          axes: [0],
          units: [
            [-1, 1],
            [0, 3],
            [-1, 1],
          ],
        },
      ],
    },
    fixed: { shape: [7] },
  },
});

const seeds = fc.integer({ min: 0, max: 2 ** 31 });
const alignments = seeds.map((seed) => randomAlignment(spec, seed));

const TYPES = {
  f32: Float32Array,
  f16: Uint16Array,
  f64: Float64Array,
  i64: BigInt64Array,
  u8: Uint8Array,
} as const;

function checkpointOf(dtype: keyof typeof TYPES) {
  const tensors = new Map<string, Tensor>();
  for (const [name, { shape }] of spec.weights) {
    const size = shape.reduce((product, extent) => product * extent, 1);
    const data = new TYPES[dtype](size);
    for (let i = 0; i < size; i++) data[i] = dtype === "i64" ? BigInt(i) : i;
    tensors.set(name, { dtype, shape, data });
  }
  tensors.set("other", { dtype: "f32", shape: [2], data: Float32Array.of(1, 2) });
  return createCheckpoint(tensors, { made: "here" }, "test");
}

async function contents(checkpoint: ReturnType<typeof checkpointOf>): Promise<unknown> {
  const read = [...checkpoint.tensors.keys()].map(async (name) => [name, (await checkpoint.read(name)).data]);
  return Promise.all(read);
}

describe("randomAlignment()", () => {
  test("randomAlignment() makes elements of the group, the same for the same seed", () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const alignment = randomAlignment(spec, seed);
        assertAlignment(spec, alignment);
        expect(randomAlignment(spec, seed)).toEqual(alignment);
      }),
    );
  });

  test("randomAlignment() draws apart from what else is drawn by the same seed", () => {
    const shuffled = (label: string) => {
      const random = createRandom(3, label);
      const draw = ({ size }: { readonly size: number }) =>
        random.shuffleInPlace(Int32Array.from({ length: size }, (_, unit) => unit));
      return completeUnits(spec, draw);
    };
    expect(randomAlignment(spec, 3)).toEqual(shuffled("alignment"));
    for (const other of ["", "weights"]) expect(randomAlignment(spec, 3)).not.toEqual(shuffled(other));
  });

  test("randomAlignment() refuses a seed that is not a whole number", () => {
    expect(() => randomAlignment(spec, 0.5)).toThrow(RangeError);
  });
});

describe("compose()", () => {
  test("compose() is associative, with the identity and inverses", () => {
    fc.assert(
      fc.property(alignments, alignments, alignments, (p, q, r) => {
        expect(compose(compose(p, q), r)).toEqual(compose(p, compose(q, r)));
        expect(compose(p, identityAlignment(spec))).toEqual(p);
        expect(compose(identityAlignment(spec), p)).toEqual(p);
        expect(compose(p, invert(p))).toEqual(identityAlignment(spec));
        expect(compose(invert(p), p)).toEqual(identityAlignment(spec));
        assertAlignment(spec, compose(p, q));
        assertAlignment(spec, invert(p));
      }),
    );
  });

  test("compose() refuses alignments of different specifications", () => {
    const other: Alignment = { source: Int32Array.of(0) };
    expect(() => compose(other, identityAlignment(spec))).toThrow(MismatchError);
  });
});

describe("permute()", () => {
  test("permute() by a composition is permuting twice, and by the inverse undoes it", async () => {
    const checkpoint = checkpointOf("f32");
    await fc.assert(
      fc.asyncProperty(alignments, alignments, async (p, q) => {
        const twice = permute(p, permute(q, checkpoint, spec), spec);
        expect(await contents(permute(compose(p, q), checkpoint, spec))).toEqual(await contents(twice));
        const back = permute(invert(p), permute(p, checkpoint, spec), spec);
        expect(await contents(back)).toEqual(await contents(checkpoint));
      }),
      { numRuns: 20 },
    );
  });

  test("permute() moves whole elements of every width", async () => {
    const alignment = randomAlignment(spec, 1);
    const wanted = await permute(alignment, checkpointOf("f64"), spec).read("square");
    for (const dtype of ["f32", "f16", "i64", "u8"] as const) {
      const { data } = await permute(alignment, checkpointOf(dtype), spec).read("square");
      expect(Array.from(data as ArrayLike<number | bigint>, Number)).toEqual(
        Array.from(wanted.data as Float64Array),
      );
    }
  });

  test("permute() takes place u from unit source[u]", async () => {
    const alignment = randomAlignment(spec, 2);
    const { data } = await permute(alignment, checkpointOf("f32"), spec).read("square");
    const { source } = alignment;
    for (let i = 0; i < 12; i++) {
      for (let j = 0; j < 12; j++) {
        const row = (source[17 + i] ?? 0) - 17;
        const column = (source[3 + j] ?? 0) - 3;
        expect(data[i * 12 + j]).toBe(row * 12 + column);
      }
    }
  });

  test("permute() moves both halves of a fused weight alike, and leaves what is fixed", async () => {
    const alignment = randomAlignment(spec, 3);
    const permuted = permute(alignment, checkpointOf("f32"), spec);
    const { data } = await permuted.read("fused");
    for (let i = 0; i < 60; i++) expect(data[i + 60]).toBe((data[i] as number) + 60);
    const partly = (await permuted.read("partly")).data;
    expect([partly[0], partly[4]]).toEqual([0, 4]);
    expect((await permuted.read("fixed")).data).toEqual(Float32Array.of(0, 1, 2, 3, 4, 5, 6));
    expect((await permuted.read("other")).data).toEqual(Float32Array.of(1, 2));
  });

  test("permute() reads ranges of what it reads whole", async () => {
    const permuted = permute(randomAlignment(spec, 4), checkpointOf("f16"), spec);
    const ranges = fc.tuple(fc.constantFrom(...spec.weights.keys()), fc.nat(200), fc.nat(200));
    await fc.assert(
      fc.asyncProperty(ranges, async ([name, a, b]) => {
        const { data } = await permuted.read(name);
        const begin = Math.min(a, b, data.length);
        const end = Math.min(Math.max(a, b), data.length);
        expect(await permuted.readRange(name, begin, end)).toEqual(data.slice(begin, end));
      }),
    );
  });

  test("permute() reads only the rows a range needs where that is cheaper", async () => {
    const rows = 64;
    const row = 1 << 14;
    const wide = decodeSpec({
      format: "isthmus-symmetries",
      version: 1,
      symmetries: [{ name: "rows", size: rows }],
      weights: { w: { shape: [rows, row], fields: [{ axes: [0], units: "rows" }] } },
    });
    const data = Float32Array.from({ length: rows * row }, (_, i) => i);
    const checkpoint = createCheckpoint({ w: { dtype: "f32", shape: [rows, row], data } });
    const ranges: number[] = [];
    const watched = {
      ...checkpoint,
      read: () => Promise.reject(new TypeError("Cannot read the whole tensor here")),
      readRangeInto: async (name: string, begin: number, out: Float32Array) => {
        ranges.push(out.length);
        await checkpoint.readRangeInto(name, begin, out);
      },
    } as typeof checkpoint;
    const alignment = randomAlignment(wide, 5);
    const part = await permute(alignment, watched, wide).readRange("w", row + 7, 4 * row + 1);
    const whole = (await permute(alignment, checkpoint, wide).read("w")).data;
    expect(part).toEqual(whole.slice(row + 7, 4 * row + 1));
    expect(ranges.reduce((sum, length) => sum + length, 0)).toBe(4 * row);
  });

  test("permute() keeps metadata, and names where it comes from", () => {
    const permuted = permute(identityAlignment(spec), checkpointOf("f32"), spec);
    expect(permuted.metadata).toEqual({ made: "here" });
    expect(permuted.source).toContain("test");
  });

  test("permute() refuses a checkpoint that lacks a weight or has another shape", () => {
    const { tensors } = checkpointOf("f32");
    const only = createCheckpoint({ fixed: { dtype: "f32", shape: [7], data: new Float32Array(7) } });
    expect(() => permute(identityAlignment(spec), only, spec)).toThrow(
      /"memory" as it must have every weight .*: \d+ of \d+ are not there, .*"fused"/,
    );
    const entries = [...tensors].map(
      ([name, info]) => [name, { ...info, data: new Float32Array(8) }] as const,
    );
    const wrong = new Map(
      entries.map(([name, info]) => [name, { ...info, shape: name === "square" ? [8] : info.shape }]),
    );
    const checkpoint = { ...checkpointOf("f32"), tensors: wrong };
    expect(() => permute(identityAlignment(spec), checkpoint, spec)).toThrow(
      /"square".*\[8\] and \[12, 12\]/,
    );
  });
});

describe("assertAlignment()", () => {
  test("assertAlignment() refuses what is not an element of the group", () => {
    const swap = (a: number, b: number): Alignment => {
      const { source } = identityAlignment(spec);
      source[a] = b;
      source[b] = a;
      return { source };
    };
    expect(() => assertAlignment(spec, { source: new Int32Array(3) })).toThrow(/35 units.*it has 3/);
    expect(() => assertAlignment(spec, { source: new Int32Array(35) })).toThrow(/"heads"/);
    expect(() => assertAlignment(spec, swap(3, 7))).toThrow(/"inner"/);
    expect(() => assertAlignment(spec, swap(29, 30))).toThrow(/unit 29 must be taken by 29/);
    expect(() => assertAlignment(spec, swap(0, 1))).toThrow(MismatchError);
  });
});

describe("completeFollowers()", () => {
  test("completeFollowers() gives back what an alignment says of followers", () => {
    fc.assert(
      fc.property(alignments, ({ source }) => {
        expect(completeFollowers(spec, source.subarray(0, 29))).toEqual({ source });
      }),
    );
  });
});
