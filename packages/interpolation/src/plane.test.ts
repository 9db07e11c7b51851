import {
  type Checkpoint,
  createCheckpoint,
  InputError,
  MismatchError,
  type Tensor,
  toFloat64,
} from "@isthmus/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { distance } from "./distance.ts";
import { innerProducts } from "./inner-products.ts";
import { addScaled } from "./kernels/vectors.ts";
import { createPlane, type PlaneNetworks } from "./plane.ts";

const SIZE = 6;
const finite = fc.float({ noNaN: true, noDefaultInfinity: true, min: -4, max: 4 });
const network = fc.array(finite, { minLength: SIZE, maxLength: SIZE }).map(networkOf);
/** Sets of three that span a plane: shifts of a network along two axes that random vectors hardly lie on. */
const spanning = fc
  .tuple(network, network, network)
  .filter((all) => areaOf(all.map((each) => each.values)) > 0.1);

interface Known extends Checkpoint {
  readonly values: readonly number[];
}

function networkOf(values: readonly number[], counter = 0): Known {
  const tensors: Record<string, Tensor> = {
    w: { dtype: "f32", shape: [2], data: Float32Array.from(values.slice(0, 2)) },
    v: { dtype: "f32", shape: [values.length - 2], data: Float32Array.from(values.slice(2)) },
    steps: { dtype: "i64", shape: [], data: BigInt64Array.of(BigInt(counter)) },
  };
  return { ...createCheckpoint(tensors, {}, `network ${counter}`), values };
}

const minus = (a: readonly number[], b: readonly number[]) => a.map((x, i) => x - b[i]!);
const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, x, i) => sum + x * b[i]!, 0);

function areaOf([a, b, c]: readonly (readonly number[])[]): number {
  const [u, v] = [minus(c!, a!), minus(b!, a!)];
  return Math.sqrt(Math.max(0, dot(u, u) * dot(v, v) - dot(u, v) ** 2));
}

async function valuesOf(checkpoint: Checkpoint): Promise<number[]> {
  const parts = await Promise.all(["w", "v"].map((name) => checkpoint.read(name)));
  return parts.flatMap(({ data, dtype }) => [...toFloat64(data, dtype)]);
}

/** A few roundings of f32, of values that coefficients make at most this much larger. */
const tolerance = (coefficients: readonly number[]) =>
  2 ** -20 * 4 * Math.max(1, ...coefficients.map(Math.abs));

describe("createPlane()", () => {
  it("gives the three networks back at their places", async () => {
    await fc.assert(
      fc.asyncProperty(spanning, async (networks) => {
        const plane = await createPlane(networks);
        for (const [k, place] of plane.places.entries()) {
          const coefficients = plane.coefficients(place);
          coefficients.forEach((c, i) => {
            expect(c).toBeCloseTo(i === k ? 1 : 0, 9);
          });
          const values = await valuesOf(plane.at(place));
          networks[k]!.values.forEach((x, i) => {
            expect(Math.abs(values[i]! - x)).toBeLessThan(tolerance(coefficients));
          });
        }
      }),
    );
  });

  it("measures as the weights do: distances in the plane are those of networks", async () => {
    await fc.assert(
      fc.asyncProperty(spanning, async (networks) => {
        const { places } = await createPlane(networks);
        for (const [i, j] of [
          [0, 1],
          [1, 2],
          [0, 2],
        ] as const) {
          const way = minus(networks[i].values, networks[j].values);
          const apart = Math.hypot(places[i].x - places[j].x, places[i].y - places[j].y);
          expect(apart).toBeCloseTo(Math.sqrt(dot(way, way)), 9);
        }
      }),
    );
  });

  it("projects a network of the plane to its place, and others at right angles", async () => {
    const place = fc.double({ min: -2, max: 2, noNaN: true });
    await fc.assert(
      fc.asyncProperty(spanning, network, place, place, async (networks, other, x, y) => {
        const plane = await createPlane(networks);
        const inside = await plane.project(plane.at({ x, y }));
        const slack = 10 * tolerance(plane.coefficients({ x, y }));
        expect(Math.abs(inside.x - x)).toBeLessThan(slack);
        expect(Math.abs(inside.y - y)).toBeLessThan(slack);
        expect(inside.distance).toBeLessThan(slack);

        const seen = await plane.project(other);
        const way = minus(other.values, networks[0].values);
        expect(seen.x ** 2 + seen.y ** 2 + seen.distance ** 2).toBeCloseTo(dot(way, way), 6);
      }),
    );
  });

  it("counts the tensors it is told to, and keeps integers of the first", async () => {
    const networks = [
      [0, 0, 0, 0],
      [0, 2, 5, 5],
      [4, 0, 7, 7],
    ].map((values, k) => networkOf(values, k)) as unknown as PlaneNetworks;
    const { places, at } = await createPlane(networks, { tensors: ["w"] });
    expect(places).toEqual([
      { x: 0, y: 0 },
      { x: 0, y: 2 },
      { x: 4, y: 0 },
    ]);
    expect(at({ x: 4, y: 0.5 }).source).toBe("plane(network 0, network 1, network 2, 4, 0.5)");
    expect((await at({ x: 4, y: 0 }).read("steps")).data).toEqual(BigInt64Array.of(0n));
    expect((await at({ x: 8, y: 0 }).read("v")).data).toEqual(Float32Array.of(14, 14));
  });

  it("refuses networks on a line, and of different structure", async () => {
    const [a, b] = [networkOf([0, 0, 0, 1], 0), networkOf([1, 2, 3, 4], 2)];
    const middle = networkOf([0.5, 1, 1.5, 2.5], 1);
    for (const networks of [
      [a, middle, b],
      [a, b, a],
      [a, a, b],
    ] as const) {
      await expect(createPlane(networks)).rejects.toThrow(InputError);
    }
    await expect(createPlane([a, middle, b])).rejects.toThrow(
      `Cannot lay a plane through "network 0", "network 1", "network 2" as they must not lie on a line: the first and the third are ${Math.sqrt(23)} apart, the second is 0 away from the line through them`,
    );
    await expect(createPlane([a, middle, b])).rejects.toMatchObject({ input: "network 1" });
    await expect(createPlane([a, b, a])).rejects.toThrow(
      "the first and the third are 0 apart, the second is 0 away from the line through them",
    );
    await expect(createPlane([a, networkOf([1, Number.NaN, 3, 4]), b])).rejects.toThrow(
      "as their weights must be finite: some are not",
    );
    await expect(createPlane([a, networkOf([1, 0, 0, 0]), networkOf([1, 0, 0])])).rejects.toThrow(
      MismatchError,
    );
    await expect(createPlane([a, networkOf([1, 2, 3]), b])).rejects.toThrow(MismatchError);
    const plane = await createPlane([a, networkOf([1, 0, 0, 1]), b]);
    await expect(plane.project(networkOf([1, 2, 3]))).rejects.toThrow(MismatchError);
  });
});

describe("flat planes", () => {
  it.each([1e-4, 1, 1e4])("are refused by their shape, not by their size: times %f", async (size) => {
    const network = (x: number, y: number) =>
      createCheckpoint({ w: { dtype: "f64", shape: [2], data: Float64Array.of(size * x, size * y) } });
    const far = network(1, 0);
    for (const [second, isPlane] of [
      [network(0.5, 1e-5), true],
      [network(0.5, 1e-7), false],
      // Beside the way to the second, the way to the third is short.
      [network(1000, 1e-4), false],
    ] as const) {
      const made = await createPlane([network(0, 0), second, far]).then(
        () => true,
        () => false,
      );
      expect(made).toBe(isPlane);
    }
  });
});

describe("addScaled()", () => {
  it("adds so much of each element", () => {
    const sum = Float64Array.of(1, 2);
    addScaled(sum, Float64Array.of(3, -4), 2);
    expect([...sum]).toEqual([7, -6]);
  });
});

describe("distance()", () => {
  it("is the norm of the difference in the tensors named", async () => {
    const [a, b] = [networkOf([1, 2, 3, 4]), networkOf([4, 6, 3, 6])];
    expect(await distance(a, b, ["w"])).toBe(5);
    expect(await distance(a, b, ["v"])).toBe(2);
    expect(await distance(b, a, ["v", "w"])).toBe(Math.sqrt(29));
  });
});

describe("innerProducts()", () => {
  it("leave out networks of factor 0, even if their weights are not finite", async () => {
    const networks = [networkOf([1, 2, 3]), networkOf([Number.NaN, 2, 3])];
    expect(await innerProducts(networks, [[2, 0]])).toEqual([[4 * 14]]);
  });

  it("are those of all float tensors as one vector, read in pieces", async () => {
    const filled = (value: number, size: number) =>
      createCheckpoint({
        large: { dtype: "f32", shape: [size], data: new Float32Array(size).fill(value) },
        small: { dtype: "f64", shape: [2], data: Float64Array.of(value, 0) },
        steps: { dtype: "i64", shape: [1], data: BigInt64Array.of(5n) },
      });
    const directions = [
      [1, 0],
      [0, 1],
      [1, 1],
    ];
    expect(await innerProducts([filled(1, 7), filled(2, 7)], directions)).toEqual([
      [8, 16, 24],
      [16, 32, 48],
      [24, 48, 72],
    ]);
    const large = 2 ** 18 + 2;
    expect(await innerProducts([filled(2, large)], [[1]])).toEqual([[4 * (large + 1)]]);
  });

  it("refuses tensors that the first network lacks", async () => {
    const networks = [networkOf([1, 2, 3]), networkOf([1, 2, 3])];
    const measuring = innerProducts(networks, [[1, 1]], { tensors: ["x"] });
    await expect(measuring).rejects.toThrow(
      'Cannot measure "x" of "network 0" as there must be a tensor of that name: there is none',
    );
    await expect(measuring).rejects.toMatchObject({ parameters: ["x"] });
  });

  it("innerProducts() keeps the digits of small differences", async () => {
    const [a, b] = [networkOf([1e7, 1, 1, 1]), networkOf([1e7 + 1, 1, 1, 1])];
    expect(await innerProducts([a, b], [[-1, 1]])).toEqual([[1]]);
    expect(
      await innerProducts(
        [a, b],
        [
          [-1, 1],
          [0, 1],
        ],
        { tensors: ["v"] },
      ),
    ).toEqual([
      [0, 0],
      [0, 2],
    ]);
  });
});
