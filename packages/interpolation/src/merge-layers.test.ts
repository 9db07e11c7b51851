import { type Checkpoint, createCheckpoint, type Tensor } from "@isthmus/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { lerp } from "./lerp.ts";
import { assertLayerPatterns, layerOf, mergeLayers } from "./merge-layers.ts";

const NAMES = ["conv1.weight", "conv1.bias", "bn1.mean", "fc.weight", "scale"];

/** Tensors of two numbers, and a counter beside those of `bn1`. */
function network(value: number): Checkpoint {
  const tensors = NAMES.map((name, i): [string, Tensor] => {
    const data = Float32Array.of(value + i, value * i);
    return [name, { dtype: "f32", shape: [2], data }];
  });
  const steps = { dtype: "i64" as const, shape: [], data: BigInt64Array.of(BigInt(value)) };
  return createCheckpoint(new Map([...tensors, ["bn1.steps", steps]]), {}, `network ${value}`);
}

const [a, b] = [network(1), network(9)];
const share = fc.double({ min: 0, max: 1, noNaN: true });

async function contents(checkpoint: Checkpoint): Promise<Record<string, unknown>> {
  const entries = await Promise.all(
    [...checkpoint.tensors.keys()].map(async (name) => [name, (await checkpoint.read(name)).data] as const),
  );
  return Object.fromEntries(entries);
}

describe("mergeLayers()", () => {
  it("keeps, takes and averages layers as told, and leaves the others", async () => {
    const merged = await contents(
      mergeLayers(
        a,
        b,
        new Map([
          ["conv1", 0.5],
          ["fc.weight", 1],
        ]),
      ),
    );
    const [own, other] = [await contents(a), await contents(b)];
    const half = await contents(lerp(a, b, 0.5));
    expect(merged).toEqual({
      ...own,
      "conv1.weight": half["conv1.weight"],
      "conv1.bias": half["conv1.bias"],
      "fc.weight": other["fc.weight"],
    });
  });

  it("takes counters from the nearer network of their layer", async () => {
    const [near, far] = [0.4, 0.6].map((t) => mergeLayers(a, b, new Map([["bn*", t]])));
    expect((await near!.read("bn1.steps")).data).toEqual(BigInt64Array.of(1n));
    expect((await far!.read("bn1.steps")).data).toEqual(BigInt64Array.of(9n));
  });

  it("is lerp() where all layers have one share, and goes by the first pattern that fits", async () => {
    await fc.assert(
      fc.asyncProperty(share, share, async (t, other) => {
        const all = await contents(lerp(a, b, t));
        expect(await contents(mergeLayers(a, b, new Map([["*", t]])))).toEqual(all);
        const first = new Map([
          ["*", t],
          ["conv1", other],
        ]);
        expect(await contents(mergeLayers(a, b, first))).toEqual(all);
      }),
    );
  });

  it("from the other side keeps what this one takes", async () => {
    await fc.assert(
      fc.asyncProperty(fc.subarray(NAMES.map(layerOf)), async (layers) => {
        const taken = new Map(layers.map((layer) => [layer, 1]));
        const kept = new Map([...layers.map((layer) => [layer, 0] as const), ["*", 1] as const]);
        expect(await contents(mergeLayers(a, b, taken))).toEqual(await contents(mergeLayers(b, a, kept)));
      }),
    );
  });

  it("says which layers there are if a pattern fits none, and refuses shares that are no numbers", () => {
    expect(() => mergeLayers(a, b, new Map([["conv2", 1]]))).toThrow(
      'Cannot merge layers of "network 1" as every pattern must fit a layer: "conv2" fits none of conv1, bn1, fc, scale',
    );
    expect(() => mergeLayers(a, b, new Map([["fc", Number.NaN]]))).toThrow(RangeError);
  });

  it("lists up to twelve layers of a network, each once, and says how many more there are", () => {
    const names = Array.from({ length: 14 }, (_, i) => [`l${i}.weight`, `l${i}.bias`]).flat();
    const listOf = (layers: number) => {
      try {
        assertLayerPatterns("merge", ["x"], names.slice(0, 2 * layers));
      } catch (error) {
        return String(error).replace(/.*fits none of /, "");
      }
      return undefined;
    };
    const twelve = "l0, l1, l2, l3, l4, l5, l6, l7, l8, l9, l10, l11";
    expect(listOf(2)).toBe("l0, l1");
    expect(listOf(12)).toBe(twelve);
    expect(listOf(14)).toBe(`${twelve}, and 2 more`);
  });
});

describe("layerOf()", () => {
  it("is the name up to its last dot, if it has one", () => {
    expect(["a.b.weight", "scale", ".weight"].map(layerOf)).toEqual(["a.b", "scale", ""]);
  });
});
