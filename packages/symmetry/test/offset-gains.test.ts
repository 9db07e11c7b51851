import { createCheckpoint } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { randomWeights } from "@isthmus/graph";
import { verifyAlignment, verifyLinearSymmetries } from "@isthmus/symmetry";
import { multiplyUnits } from "@isthmus/symmetry/layout";
import { canonicalize, matchNormalized, matchWeights } from "@isthmus/weight-matching";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { discoverAll } from "../../../test/helpers/discover-all.ts";
import { distance } from "../../../test/helpers/distance.ts";
import { GraphBuilder } from "../../../test/helpers/graph-builder.ts";
import { streamNetwork } from "../../../test/helpers/stream-networks.ts";
import { transformRandomly } from "../src/linear/verify-linear-symmetries.ts";

const engine = createOnnxRuntimeEngine();

// Its stream is fixed, so that the gains of its norms may be scaled one by one.
const TIED = streamNetwork("root mean square times 1 + weight", "tied");

describe("gains of the form 1 + w", () => {
  test.each([
    ["w + 1", "Add", ["w", "c"], -1],
    ["1 + w", "Add", ["c", "w"], -1],
    ["w - 1", "Sub", ["w", "c"], 1],
    ["1 - w", "Sub", ["c", "w"], 1],
  ] as const)("are scaled around what makes them 0: %s", async (_, op, order, origin) => {
    const b = new GraphBuilder();
    const operands = { w: b.weight("gain", [6]), c: b.constant([1], []) };
    const scale = b.op(
      op,
      order.map((name) => operands[name]),
    );
    const scaled = b.op("Mul", [b.op("Tanh", [b.linear(b.input("x", [5]), "one", 5, 6)]), scale]);
    const graph = b.output(b.linear(scaled, "two", 6, 3)).build();
    const { permutations, linear } = await discoverAll(graph);
    expect(linear.scales.variables).toBe(6);
    expect(linear.scales.weights.get("gain")).toMatchObject({ origin });
    const verified = await verifyLinearSymmetries({ graph, engine }, { permutations, linear }, { seed: 1 });
    expect(verified.map(({ passed }) => passed)).not.toContain(false);
    const gain = (
      await multiplyUnits(
        createCheckpoint(randomWeights(graph, 1)),
        linear.scales,
        new Float64Array(6).fill(2),
      ).read("gain")
    ).data;
    const before = randomWeights(graph, 1).get("gain")?.data as Float32Array;
    before.forEach((value, i) => {
      const distances = [Math.abs(Number(gain[i]) - origin), Math.abs(value - origin)] as const;
      const [first, second] = distances;
      expect(Math.max(first / second, second / first)).toBeCloseTo(2, 4);
    });
  });

  test("are fixed where the weight is read without the number, too, or the numbers differ", async () => {
    for (const kind of ["twice", "numbers"]) {
      const b = new GraphBuilder();
      const gain = b.weight("gain", [3]);
      const numbers = kind === "numbers" ? b.constant([1, 2, 3], [3]) : b.constant([1], []);
      const scaled = b.op("Mul", [
        b.op("Tanh", [b.linear(b.input("x", [5]), "one", 5, 3)]),
        b.op("Add", [gain, numbers]),
      ]);
      const sum = kind === "twice" ? b.op("Add", [scaled, gain]) : scaled;
      const { linear } = await discoverAll(b.output(b.linear(sum, "two", 3, 3)).build());
      expect(linear.scales.variables, kind).toBe(0);
    }
  });

  test("come to the same canonical form however they were scaled, and back", async () => {
    const found = await discoverAll(TIED);
    await fc.assert(
      fc.asyncProperty(fc.nat(1e6), async (seed) => {
        const network = createCheckpoint(randomWeights(TIED, seed));
        const scaled = transformRandomly(network, found.spec, found.linear, { seed, kinds: ["scale"] });
        expect(await distance(network, scaled)).toBeGreaterThan(0.1);
        const verified = await verifyAlignment({ graph: TIED, engine }, [network, scaled], { seed });
        expect(verified).toMatchObject({ passed: true });
        const [one, two] = [
          await canonicalize(network, found, { kinds: ["scale"] }),
          await canonicalize(scaled, found, { kinds: ["scale"] }),
        ];
        expect(await distance(one.network, two.network)).toBeLessThan(1e-2);
        expect(await distance(await one.undo(one.network), network)).toBeLessThan(1e-3);
      }),
      { numRuns: 4, seed: 1 },
    );
  });

  test("are brought back to those of a network that was scaled", async () => {
    const found = await discoverAll(TIED);
    const a = createCheckpoint(randomWeights(TIED, 2));
    const b = transformRandomly(a, found.spec, found.linear, { seed: 3, kinds: ["scale"] });
    const { network } = await matchNormalized([a, b], found, ["scale"], ([one, two]) =>
      matchWeights({ spec: found.spec, graph: undefined }, [one, two], { seed: 1 }),
    );
    expect(await distance(a, network)).toBeLessThan(1e-2);
  });
});
