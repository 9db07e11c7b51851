import { createOnnxRuntimeEngine } from "@isthmus/engine";
import type { Graph } from "@isthmus/graph";
import { decodeSpec, type SymmetrySpec, verifySymmetries } from "@isthmus/symmetry";
import { describe, expect, test } from "vitest";
import { GraphBuilder } from "../../../test/helpers/graph-builder.ts";

const engine = createOnnxRuntimeEngine();

/** Layers of some width one after the other. */
function chain(width: number, layers: number): Graph {
  const b = new GraphBuilder();
  let x = b.input("x", [5]);
  for (let i = 0; i < layers; i++) x = b.op("Tanh", [b.linear(x, `layer${i}`, i === 0 ? 5 : width, width)]);
  return b.output(b.linear(x, "head", width, 3)).build();
}

/**
 * The symmetries of a chain, but for one layer: its rows and the columns behind it are said to move apart, which is right
 * only where both move alike.
 */
function specOfChain(width: number, layers: number, wrong: number): SymmetrySpec {
  const units = (axis: number, name: string) => ({ axes: [axis], units: name });
  const names = Array.from({ length: layers }, (_, i) => `hidden${i}`);
  const behind = (i: number) => (i === wrong ? "behind" : `hidden${i}`);
  const weights: Record<string, object> = {};
  names.forEach((name, i) => {
    const before = i === 0 ? [] : [units(0, behind(i - 1))];
    weights[`layer${i}.weight`] = {
      shape: [i === 0 ? 5 : width, width],
      fields: [...before, units(1, name)],
    };
    weights[`layer${i}.bias`] = { shape: [width], fields: [units(0, name)] };
  });
  weights["head.weight"] = { shape: [width, 3], fields: [units(0, behind(layers - 1))] };
  const symmetries = [...names, ...(wrong < 0 ? [] : ["behind"])].map((name) => ({ name, size: width }));
  return decodeSpec({ format: "isthmus-symmetries", version: 1, symmetries, weights });
}

describe("verifySymmetries() of symmetries that hold only together", () => {
  test.each([0, 1])("verifySymmetries() tells two of 2 units apart, seed %i", async (seed) => {
    const graph = chain(2, 5);
    expect(await verifySymmetries({ graph, engine }, specOfChain(2, 5, -1), { seed })).toMatchObject({
      passed: true,
    });
    const result = await verifySymmetries({ graph, engine }, specOfChain(2, 5, 2), { seed });
    expect(result.passed).toBe(false);
    expect([...result.failedSymmetries].sort()).toEqual(["behind", "hidden2"]);
  });

  test.each([3, 4])("verifySymmetries() tells two of %i units apart for any of 10 seeds", async (width) => {
    const graph = chain(width, 2);
    const spec = specOfChain(width, 2, 0);
    for (let seed = 0; seed < 10; seed++) {
      expect((await verifySymmetries({ graph, engine }, spec, { seed, findFailing: false })).passed).toBe(
        false,
      );
    }
  });
});
