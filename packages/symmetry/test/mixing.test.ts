import { createCheckpoint, entry } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { type Graph, randomWeights } from "@isthmus/graph";
import {
  discoverLinearSymmetries,
  discoverMixing,
  discoverSymmetries,
  identityMixture,
  leaveOutMixtures,
  type MixingSymmetries,
  mixInPlace,
  occurrencesOf,
  proveMixtures,
  proveSymmetries,
  verifyMixing,
} from "@isthmus/symmetry";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { GraphBuilder } from "../../../test/helpers/graph-builder.ts";
import { NORM_FORMS, streamNetwork } from "../../../test/helpers/stream-networks.ts";
import type { MixingMatrix } from "../src/mixing/mix-units.ts";
import { randomMixture } from "../src/mixing/random-mixture.ts";

const engine = createOnnxRuntimeEngine();

async function discover(graph: Graph) {
  const permutations = await discoverSymmetries({ graph, engine });
  const linear = await discoverLinearSymmetries({ graph, engine }, permutations);
  const mixing = await discoverMixing({ graph, engine }, { permutations, linear });
  return { permutations, linear, mixing };
}

/** Sizes of the spaces of each group. */
function sizesOf({ spaces }: MixingSymmetries): Record<string, number[]> {
  const sizes: Record<string, number[]> = {};
  for (const { group, size } of spaces) sizes[group] = [...(sizes[group] ?? []), size];
  return sizes;
}

describe("discoverMixing()", () => {
  test.each(NORM_FORMS)("finds the stream and the heads of a transformer with norm: %s", async (form) => {
    const graph = streamNetwork(form);
    const symmetries = await discover(graph);
    const group = form.startsWith("layer") ? "orthogonal-keeping-ones" : "orthogonal";
    expect(sizesOf(symmetries.mixing)).toEqual({ invertible: [3, 3, 3, 3], [group]: [8] });
    expect(symmetries.mixing.norms).toHaveLength(3);
    const verified = await verifyMixing({ graph, engine }, symmetries, { seed: 1 });
    expect(verified).toMatchObject({ passed: true, firstFailure: undefined });
    expect(verified.restoredError).toBeLessThan(1e-5);
  });

  test.each([
    ["post-norm", "cannot be moved into the weights that read the norm"],
    ["tied", "embed.weight is read twice, as an embedding that is also the head"],
    ["gated", "the gain one.gate cannot be moved into the weights that write the branch"],
  ] as const)("leaves the stream of a %s transformer alone, and says why", async (trait, reason) => {
    const graph = streamNetwork("layer", trait);
    const symmetries = await discover(graph);
    expect(sizesOf(symmetries.mixing)).toEqual({ invertible: [3, 3, 3, 3] });
    expect(symmetries.mixing.fixed.map((norm) => norm.reason).join()).toContain(reason);
    expect(await verifyMixing({ graph, engine }, symmetries, { seed: 1 })).toMatchObject({ passed: true });
  });

  test.each(NORM_FORMS)("moves LayerScale into the weights that write a branch, norm: %s", async (form) => {
    const graph = streamNetwork(form, "layer-scale");
    const symmetries = await discover(graph);
    const group = form.startsWith("layer") ? "orthogonal-keeping-ones" : "orthogonal";
    expect(sizesOf(symmetries.mixing)).toEqual({ invertible: [3, 3, 3, 3], [group]: [8] });
    const gains = symmetries.mixing.gains.map(({ gain }) => gain).sort();
    expect(gains).toEqual(["norm1.weight", "norm2.weight", "norm3.weight", "one.gate", "two.gate"]);
    const verified = await verifyMixing({ graph, engine }, symmetries, { seed: 1 });
    expect(verified).toMatchObject({ passed: true, firstFailure: undefined });
    expect(verified.restoredError).toBeLessThan(1e-5);
  });

  test("finds one matrix for the values of each group of queries", async () => {
    const graph = streamNetwork("root mean square in pieces", "grouped");
    const symmetries = await discover(graph);
    expect(sizesOf(symmetries.mixing)).toEqual({ invertible: [3, 3], orthogonal: [8] });
    const outputs = occurrencesOf(
      entry(symmetries.mixing.weights, "o.weight", "layout"),
      symmetries.mixing.spaces,
    );
    expect(outputs.map(({ space, isInverse }) => `${space} ${isInverse}`).sort()).toEqual([
      ...["0 true", "0 true", "1 true", "1 true", "2 false"],
    ]);
    expect(await verifyMixing({ graph, engine }, symmetries, { seed: 1 })).toMatchObject({ passed: true });
  });

  test("mixes hidden units between linear layers by any invertible matrix, and none before an activation", async () => {
    const b = new GraphBuilder();
    const linear = b.linear(b.linear(b.input("x", [5]), "one", 5, 6), "two", 6, 4);
    const graph = b.output(b.linear(b.op("Relu", [linear]), "head", 4, 3)).build();
    const symmetries = await discover(graph);
    expect(sizesOf(symmetries.mixing)).toEqual({ invertible: [6] });
    expect(await verifyMixing({ graph, engine }, symmetries, { seed: 2 })).toMatchObject({ passed: true });
  });
});

describe("verifyMixing()", () => {
  test("catches matrices of too large a group", async () => {
    const graph = streamNetwork("layer");
    const { mixing, ...known } = await discover(graph);
    const spaces = mixing.spaces.map((space) =>
      space.group === "orthogonal-keeping-ones" ? { ...space, group: "orthogonal" as const } : space,
    );
    const wrong = { ...known, mixing: { ...mixing, spaces } };
    expect(await verifyMixing({ graph, engine }, wrong, { seed: 1 })).toMatchObject({ passed: false });
  });

  test("catches a weight that is left as it is", async () => {
    const graph = streamNetwork("root mean square in pieces");
    const { mixing, ...known } = await discover(graph);
    for (const name of ["position", "up.weight", "k.bias"]) {
      const weights = new Map([...mixing.weights].filter(([other]) => other !== name));
      const wrong = { ...known, mixing: { ...mixing, weights } };
      expect(await verifyMixing({ graph, engine }, wrong, { seed: 1 }), name).toMatchObject({
        passed: false,
      });
    }
  });
});

describe("proveMixtures()", () => {
  test("leaves out the stream whose group is too large, names a node, and proves the heads", async () => {
    const graph = streamNetwork("layer");
    const { mixing, ...known } = await discover(graph);
    const spaces = mixing.spaces.map((space) =>
      space.group === "orthogonal-keeping-ones" ? { ...space, group: "orthogonal" as const } : space,
    );
    const wrong = { ...known, mixing: { ...mixing, spaces } };
    const { proof, dropped } = await proveMixtures({ graph, engine }, wrong, { seed: 1 });
    expect(dropped).toMatchObject([{ name: "embed", node: expect.stringMatching(/^LayerNormalization/) }]);
    expect(proof).toMatchObject({ passed: true });
    const left = leaveOutMixtures(wrong.mixing, ["embed"]);
    expect(sizesOf(left)).toEqual({ invertible: [3, 3, 3, 3] });
    expect([left.gains, left.norms, left.weights.has("up.weight")]).toEqual([[], [], false]);
    expect(left.weights.has("o.weight")).toBe(true);
    const permutations = { seed: 1, linear: known.linear, mixing: wrong.mixing };
    const whole = await proveSymmetries({ graph, engine }, known.permutations, permutations);
    expect(whole).toMatchObject({ passed: true, dropped, mixing: { passed: true } });
  });

  test("leaves out a stream with a gain of 0, which cannot be moved", async () => {
    const graph = streamNetwork("layer");
    const symmetries = await discover(graph);
    const weights = randomWeights(graph, 1);
    entry(weights, "norm2.weight", "gain").data[3] = 0;
    const options = { seed: 1, weights: createCheckpoint(weights) };
    const { proof, dropped } = await proveMixtures({ graph, engine }, symmetries, options);
    expect(dropped).toMatchObject([{ name: "embed", node: "norm2.weight" }]);
    expect(dropped[0]?.reason).toContain("element 3 is 0");
    expect(proof).toMatchObject({ passed: true });
  });
});

describe("mixInPlace()", () => {
  test("by a mixture and then by its inverse changes nothing, and the identity changes nothing", async () => {
    const { mixing } = await discover(streamNetwork("layer"));
    const layout = mixing.weights.get("o.weight");
    if (layout === undefined) throw new Error("o.weight is not mixed");
    const occurrences = occurrencesOf(layout, mixing.spaces);
    const numbers = fc.array(fc.double({ min: -4, max: 4, noNaN: true }), { minLength: 48, maxLength: 48 });
    fc.assert(
      fc.property(numbers, fc.nat(1000), (list, seed) => {
        // Adding 0 turns -0 into 0.
        const before = Float64Array.from(list, (value) => value + 0);
        const values = before.slice();
        mixInPlace(values, occurrences, identityMixture(mixing.spaces));
        expect(values).toEqual(before);
        const { matrices, inverses } = randomMixture(mixing.spaces, seed);
        // The transpose of a product of symmetric factors has them in reverse.
        const transposed = (list: readonly MixingMatrix[]) =>
          list.map((matrix) => {
            if (matrix instanceof Float64Array)
              throw new Error("no space of this network is a complex number");
            return matrix.toReversed();
          });
        mixInPlace(values, occurrences, { matrices, inverses });
        const undone = { matrices: transposed(inverses), inverses: transposed(matrices) };
        mixInPlace(values, occurrences, undone);
        values.forEach((value, i) => {
          expect(value).toBeCloseTo(before[i] as number, 10);
        });
      }),
      { numRuns: 30 },
    );
  });
});
