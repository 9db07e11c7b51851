import {
  type Checkpoint,
  createCheckpoint,
  DTYPES,
  type DType,
  fromFloat32Into,
  MismatchError,
  type Tensor,
  toFloat64,
} from "@isthmus/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { average, normalizeWeights } from "./average.ts";
import { lerp } from "./lerp.ts";
import { createPath, PATH_KINDS } from "./path.ts";
import { measureAngle, slerp } from "./slerp.ts";

const FLOATS: readonly DType[] = ["f64", "f32", "f16", "bf16", "f8e4m3", "f8e5m2"];

const finite = fc.float({ noNaN: true, noDefaultInfinity: true, min: -4, max: 4 });

/** Checkpoints of one structure: a float tensor of a random type and a counter. */
function checkpoints(count: number): fc.Arbitrary<Checkpoint[]> {
  return fc
    .tuple(
      fc.constantFrom(...FLOATS),
      fc
        .integer({ min: 1, max: 40 })
        .chain((n) =>
          fc.array(fc.array(finite, { minLength: n, maxLength: n }), { minLength: count, maxLength: count }),
        ),
    )
    .map(([dtype, all]) => all.map((values, k) => checkpointOf(dtype, values, k)));
}

function checkpointOf(dtype: DType, values: readonly number[], counter = 0): Checkpoint {
  const data = fromFloat32Into(Float32Array.from(values), dtype, new DTYPES[dtype].array(values.length));
  const tensors = new Map<string, Tensor>([
    ["w", { dtype, shape: [values.length], data }],
    ["steps", { dtype: "i64", shape: [], data: BigInt64Array.of(BigInt(counter)) }],
  ]);
  return createCheckpoint(tensors, {}, `network ${counter}`);
}

const dataOf = async (checkpoint: Checkpoint, name = "w") => (await checkpoint.read(name)).data;

async function floatsOf(checkpoint: Checkpoint): Promise<Float64Array> {
  const { data, dtype } = await checkpoint.read("w");
  return toFloat64(data, dtype);
}

describe("paths", () => {
  it.each(PATH_KINDS)("%s path ends at its endpoints, bit for bit", async (kind) => {
    await fc.assert(
      fc.asyncProperty(checkpoints(2), async ([a, b]) => {
        const path = createPath(kind, a!, b!);
        expect(await dataOf(path(0))).toEqual(await dataOf(a!));
        expect(await dataOf(path(1))).toEqual(await dataOf(b!));
        expect(await dataOf(path(0.4), "steps")).toEqual(await dataOf(a!, "steps"));
        expect(await dataOf(path(0.6), "steps")).toEqual(await dataOf(b!, "steps"));
      }),
    );
  });

  it.each(PATH_KINDS)("%s path from a network to itself stays there", async (kind) => {
    await fc.assert(
      fc.asyncProperty(checkpoints(1), fc.double({ min: 0, max: 1, noNaN: true }), async ([a], t) => {
        expect(await dataOf(createPath(kind, a!, a!)(t))).toEqual(await dataOf(a!));
      }),
    );
  });
});

describe("what is computed", () => {
  const [a, b] = [checkpointOf("f32", [1, 2], 1), checkpointOf("f32", [3, 4], 2)];

  it("says how it was", () => {
    expect(lerp(a, b, 0.25).source).toBe("lerp(network 1, network 2, 0.25)");
    expect([lerp(a, b, 0).source, lerp(a, b, 1).source]).toEqual(["network 1", "network 2"]);
    expect(lerp(a, b, () => 0.25).source).toBe("lerp(network 1, network 2, by layer)");
    expect(slerp(a, b, 0.25).source).toBe("slerp(network 1, network 2, 0.25)");
    expect(average([a, b, a]).source).toBe("average(network 1, network 2, network 1)");
  });

  it.each(PATH_KINDS)("half of the way by a %s path has the integers of the second network", async (kind) => {
    expect(await dataOf(createPath(kind, a, b)(0.5), "steps")).toEqual(BigInt64Array.of(2n));
  });

  it("refuses promises of checkpoints, which were not awaited, and other kinds of paths", () => {
    const promised = Promise.resolve(a) as unknown as Checkpoint;
    for (const ends of [
      [a, promised],
      [promised, a],
    ] as const) {
      expect(() => createPath("linear", ...ends)).toThrow("Cannot create a path as it needs a checkpoint");
    }
    expect(() => lerp(a, promised, 0.5)).toThrow("Cannot make lerp of checkpoints as it needs a checkpoint");
    expect(() => createPath("curved" as "linear", a, b)).toThrow(
      "Cannot create a path as its kind must be one of linear, spherical: it is curved",
    );
  });
});

describe("createPath()", () => {
  it("follows the line, or the arc", async () => {
    const [a, b] = [checkpointOf("f64", [3, 0, 4]), checkpointOf("f64", [1, 5, 0])];
    const at = async (kind: (typeof PATH_KINDS)[number]) => [
      ...(await floatsOf(createPath(kind, a, b)(0.3))),
    ];
    expect(await at("linear")).toEqual([...(await floatsOf(lerp(a, b, 0.3)))]);
    expect(await at("spherical")).toEqual([...(await floatsOf(slerp(a, b, 0.3)))]);
    expect(await at("spherical")).not.toEqual(await at("linear"));
  });
});

describe("lerp() backwards", () => {
  it("is the same path, bit for bit", async () => {
    await fc.assert(
      fc.asyncProperty(checkpoints(2), fc.constantFrom(0.125, 0.25, 0.375), async ([a, b], t) => {
        expect(await dataOf(lerp(a!, b!, t))).toEqual(await dataOf(lerp(b!, a!, 1 - t)));
      }),
    );
  });
});

describe("lerp()", () => {
  it("is (1 - t) a + t b to within rounding", async () => {
    const a = [1, -2, 3];
    const b = [3, 2, -5];
    const middle = await floatsOf(lerp(checkpointOf("f32", a), checkpointOf("f32", b), 0.25));
    expect([...middle]).toEqual([1.5, -1, 1]);
  });

  it("refuses places that are not finite, for all tensors and for each", () => {
    const a = checkpointOf("f32", [1]);
    for (const t of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const message = `Cannot interpolate as t must be a finite number: got ${t}`;
      expect(() => lerp(a, a, t)).toThrow(message);
      expect(() => lerp(a, a, (name) => (name === "steps" ? t : 0))).toThrow(message);
      expect(() => lerp(createCheckpoint({}), createCheckpoint({}), t)).toThrow(message);
    }
  });

  it("names the tensor whose shapes differ", () => {
    const a = checkpointOf("f32", [1]);
    expect(() => lerp(a, checkpointOf("f32", [1, 2]), 0.5)).toThrow(/"w" is \[1\] and \[2\]/);
  });

  it("reads the same elements by range as at once", async () => {
    await fc.assert(
      fc.asyncProperty(checkpoints(2), fc.nat(), fc.nat(), async ([a, b], x, y) => {
        const path = lerp(a!, b!, 0.3);
        const whole = await dataOf(path);
        const [begin, end] = [x % (whole.length + 1), y % (whole.length + 1)].sort((p, q) => p - q);
        expect(await path.readRange("w", begin!, end!)).toEqual(whole.slice(begin, end));
      }),
    );
  });
});

describe("slerp()", () => {
  it("keeps the length of vectors of one length", async () => {
    const a = checkpointOf("f64", [3, 0, 4]);
    const b = checkpointOf("f64", [0, 5, 0]);
    for (const t of [0.1, 0.5, 0.9]) {
      const point = await floatsOf(slerp(a, b, t));
      expect(Math.hypot(...point)).toBeCloseTo(5, 12);
    }
    expect([...(await floatsOf(slerp(a, b, 0.5)))].map((x) => x / 5)).toEqual(
      [3 / 5, 1, 4 / 5].map((x) => expect.closeTo(x * Math.SQRT1_2, 12)),
    );
  });

  it("falls back to the line where there is no arc", async () => {
    const zero = checkpointOf("f32", [0, 0]);
    const one = checkpointOf("f32", [1, 2]);
    expect([...(await floatsOf(slerp(zero, one, 0.5)))]).toEqual([0.5, 1]);
    expect([...(await floatsOf(slerp(one, one, 0.25)))]).toEqual([1, 2]);
    expect([...(await floatsOf(slerp(checkpointOf("f32", [2]), checkpointOf("f32", [-2]), 0.25)))]).toEqual([
      1,
    ]);
  });

  it("refuses opposite directions, whose middle would be zero", async () => {
    const one = checkpointOf("f32", [1, 2]);
    for (const values of [
      [-1, -2],
      [-3, -6],
      [-1, -2.001],
    ]) {
      const middle = slerp(one, checkpointOf("f32", values), 0.5);
      await expect(middle.read("w")).rejects.toThrow(MismatchError);
      await expect(middle.read("w")).rejects.toMatchObject({ parameters: ["w"] });
      await expect(middle.read("w")).rejects.toThrow(
        /"w" of .* on an arc as they must not point in opposite/,
      );
      await expect(middle.read("w")).rejects.toThrow(
        "directions: they do; interpolate on the line, or align the checkpoints first",
      );
      expect([...(await floatsOf(slerp(one, checkpointOf("f32", values), 0)))]).toEqual([1, 2]);
      expect([...(await floatsOf(slerp(one, checkpointOf("f32", values), 1)))]).toEqual(
        values.map(Math.fround),
      );
    }
  });

  it("refuses a t outside [0, 1]", () => {
    const a = checkpointOf("f32", [1]);
    for (const t of [1.5, -0.5, Number.NaN]) {
      expect(() => slerp(a, a, t)).toThrow(`Cannot interpolate on an arc as t must be in [0, 1]: got ${t}`);
    }
  });

  it("turns by the share of the angle that it is told", async () => {
    const angle = fc.double({ min: 0.1, max: 3, noNaN: true });
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    const unit = (turn: number) => checkpointOf("f64", [Math.cos(turn), Math.sin(turn)]);
    await fc.assert(
      fc.asyncProperty(angle, share, async (apart, t) => {
        const [x = 0, y = 0] = await floatsOf(slerp(unit(0), unit(apart), t));
        // Values of the networks are rounded to f32, which near half a turn changes the way round.
        expect(Math.hypot(x, y)).toBeCloseTo(1, 5);
        expect(Math.atan2(y, x)).toBeCloseTo(t * apart, 5);
      }),
    );
  });

  it("goes by the angle between tensors, which their lengths do not change", async () => {
    const angle = fc.double({ min: 0.01, max: 3.1, noNaN: true });
    const length = fc.double({ min: 0.1, max: 10, noNaN: true });
    await fc.assert(
      fc.asyncProperty(angle, length, length, async (apart, x, y) => {
        const [a, b] = [
          checkpointOf("f64", [x, 0]),
          checkpointOf("f64", [y * Math.cos(apart), y * Math.sin(apart)]),
        ];
        // Values of the networks are rounded to f32.
        expect(await measureAngle([a, b], "w")).toBeCloseTo(apart, 5);
      }),
    );
  });

  it("measures angles over the whole of tensors that are read in several pieces", async () => {
    const size = 2 ** 18 + 1;
    const at = (place: number) => {
      const values = new Float32Array(size);
      values[place] = 1;
      return values;
    };
    const networkOf = (data: Float32Array) => createCheckpoint({ w: { dtype: "f32", shape: [size], data } });
    const both = at(0);
    both[size - 1] = 1;
    const [first, last, sum] = [at(0), at(size - 1), both].map(networkOf) as [
      Checkpoint,
      Checkpoint,
      Checkpoint,
    ];
    expect(await measureAngle([first, last], "w")).toBeCloseTo(Math.PI / 2, 12);
    expect(await measureAngle([sum, first], "w")).toBeCloseTo(Math.PI / 4, 12);
    expect(await measureAngle([last, sum], "w")).toBeCloseTo(Math.PI / 4, 12);
  });
});

describe("average()", () => {
  it("of copies of a network is that network, bit for bit", async () => {
    await fc.assert(
      fc.asyncProperty(
        checkpoints(1),
        fc.array(fc.double({ min: 0.01, max: 10, noNaN: true }), { minLength: 1, maxLength: 6 }),
        async ([a], weights) => {
          expect(
            await dataOf(
              average(
                weights.map(() => a!),
                weights,
              ),
            ),
          ).toEqual(await dataOf(a!));
        },
      ),
    );
  });

  it("is the weighted mean to within rounding of f32", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(finite, { minLength: 5, maxLength: 5 }), { minLength: 1, maxLength: 5 }),
        fc.infiniteStream(fc.double({ min: 0.1, max: 3, noNaN: true })),
        async (values, stream) => {
          const weights = values.map(() => stream.next().value as number);
          const sum = weights.reduce((x, y) => x + y, 0);
          const mean = await floatsOf(
            average(
              values.map((v) => checkpointOf("f32", v)),
              weights,
            ),
          );
          mean.forEach((got, i) => {
            const exact = values.reduce((total, v, k) => total + (weights[k]! / sum) * Math.fround(v[i]!), 0);
            // A few roundings of values below 4 in f32.
            expect(Math.abs(got - exact)).toBeLessThan(4 * values.length * 2 ** -23);
          });
        },
      ),
    );
  });

  it("takes weights that subtract", async () => {
    const large = average([checkpointOf("f32", [4]), checkpointOf("f32", [2])], [8e307, 8e307]);
    expect([...(await floatsOf(large))]).toEqual([3]);
    const small = average([checkpointOf("f32", [4]), checkpointOf("f32", [2])], [2e-308, 2e-308]);
    expect([...(await floatsOf(small))]).toEqual([3]);
    const result = average([checkpointOf("f32", [4]), checkpointOf("f32", [1])], [2, -1]);
    expect([...(await floatsOf(result))]).toEqual([7]);
  });

  it("counts all networks equally without weights, and none of weight 0", async () => {
    const [a, b, c] = [[4], [2], [9]].map((values) => checkpointOf("f32", values)) as [
      Checkpoint,
      Checkpoint,
      Checkpoint,
    ];
    expect([...(await floatsOf(average([a, b, c])))]).toEqual([5]);
    expect([...(await floatsOf(average([a, b, c], [0, 1, 0])))]).toEqual([2]);
    expect([...(await floatsOf(average([a, b, c], [1, -1, 1])))]).toEqual([11]);
    expect([...(await floatsOf(average([b, c], [2, 5])))]).toEqual([7]);
  });

  it("divides weights by the smallest sum that a double holds with full precision", () => {
    expect(normalizeWeights([2 ** -1023, 2 ** -1023], 2)).toEqual([0.5, 0.5]);
  });

  it("refuses nothing to average, and weights that do not fit", () => {
    const a = checkpointOf("f32", [1]);
    expect(() => average([])).toThrow("Cannot average checkpoints as there must be at least one: got none");
    for (const weights of [[1], [1, 2, 3], [1, -1], [1, Number.NaN]]) {
      expect(() => average([a, a], weights)).toThrow(
        `Cannot average 2 checkpoints as weights must be one finite number for each, of a sum other than 0: got ${weights.join(", ")}`,
      );
    }
    for (const weights of [
      [1e308, 1e308],
      [-1e308, -1e308],
      [1e-320, 0],
      [5e-324, 5e-324],
    ]) {
      expect(() => average([a, a], weights)).toThrow(RangeError);
      expect(() => average([a, a], weights)).toThrow(
        /the sum of the weights must be from 2\.3e-308 to 1\.7e308/,
      );
    }
  });
});
