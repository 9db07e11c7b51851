import { createRandom } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import type { Graph } from "@isthmus/graph";
import {
  type ContinuousSymmetries,
  discoverContinuous,
  discoverSymmetries,
  proveSymmetries,
  type Symmetries,
} from "@isthmus/symmetry";
import { describe, expect, test } from "vitest";
import { GraphBuilder } from "../../../test/helpers/graph-builder.ts";
import { randomNetwork } from "../../../test/helpers/shapes/random-network.ts";
import { STREAM_SHAPES } from "../../../test/helpers/shapes/stream-shapes.ts";
import { UNIT_SHAPES } from "../../../test/helpers/shapes/unit-shapes.ts";

const engine = createOnnxRuntimeEngine();

/**
 * Finds all symmetries of a graph and proves them by a random element of each group: a wrong one changes some
 * value inside by far more than rounding.
 */
async function examine(graph: Graph, seed: number) {
  const permutations = await discoverSymmetries({ graph, engine });
  const beyond = await discoverContinuous({ graph, engine }, permutations);
  const proof = await proveSymmetries({ graph, engine }, permutations, { seed, ...beyond });
  return { permutations, beyond, proof };
}

/** Lists what was found on one line. */
function describeFound({ spec }: Symmetries, { linear, mixing }: ContinuousSymmetries): string {
  const permuted = spec.symmetries.map(({ size, cells }) =>
    cells.length === 1 ? size : `${cells.length} x ${size}`,
  );
  const mixed = mixing.spaces.map(({ group, size }) => `${group} ${size}`);
  const counts = {
    permuted: permuted.join(", "),
    scales: linear.scales.variables,
    signs: linear.signs.variables,
    mixed: mixed.join(", "),
    shifted: mixing.shifts.length,
    stays: mixing.fixed.map(({ reason }) => reason).join("; "),
  };
  const told = Object.entries(counts).filter(([, value]) => value !== 0 && value !== "");
  return told.map(([name, value]) => `${name}: ${value}`).join(" | ");
}

describe("symmetries of small networks", () => {
  test.each([...STREAM_SHAPES, ...UNIT_SHAPES])("%s: all that is found holds", async (name, shape) => {
    const b = new GraphBuilder();
    const found = await examine(b.output(shape(b)).build(name), 1);
    expect(describeFound(found.permutations, found.beyond)).toMatchSnapshot();
    expect(found.proof).toMatchObject({ passed: true, dropped: [] });
    expect(found.proof.mixing?.restoredError ?? 0).toBeLessThan(1e-5);
  });

  test.each(Array.from({ length: 40 }, (_, seed) => seed))(
    "all that is found in random network %i holds",
    async (seed) => {
      const { proof } = await examine(randomNetwork(createRandom(seed, "network")), seed);
      expect(proof).toMatchObject({ passed: true, dropped: [] });
    },
  );
});
