import type { Checkpoint, Tensor } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { randomWeights } from "@isthmus/graph";
import { permute, randomAlignment, type SymmetrySpec } from "@isthmus/symmetry";
import { createAssignmentSolver, MATCH_SEARCHES, matchWeights } from "@isthmus/weight-matching";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { GraphBuilder } from "../../../test/helpers/graph-builder.ts";
import { type NetworkCase, networkCase, networkCases } from "../../../test/helpers/network-cases.ts";
import { randomNetwork } from "../../../test/helpers/random-network.ts";
import { residualMlp } from "../../../test/helpers/residual-mlp.ts";
import { smallNetworks } from "../../../test/helpers/small-networks.ts";
import { BlockMatcher } from "../src/coordinate-descent/block-matcher.ts";
import { findOccurrences } from "../src/coordinate-descent/occurrences.ts";
import { createPlacementExpander } from "../src/coordinate-descent/placement.ts";
import { createUnitTree } from "../src/coordinate-descent/unit-tree.ts";
import { bestStep } from "../src/frank-wolfe/frank-wolfe.ts";
import { findRelaxable } from "../src/frank-wolfe/relaxable.ts";

const engine = createOnnxRuntimeEngine();

const cases = await networkCases(smallNetworks());

const network = ({ graph }: NetworkCase, seed: number) => randomNetwork(graph, seed);

describe("matchWeights() by Frank-Wolfe", () => {
  test.each(cases)("$name: finds a planted permutation, 10 times of 10", async (own) => {
    for (let seed = 0; seed < 10; seed++) {
      const a = network(own, seed);
      const shuffled = permute(randomAlignment(own.spec, seed), a, own.spec);
      const options = { seed, search: "frank-wolfe" as const };
      const { alignment, objective, bound } = await matchWeights(
        { spec: own.spec, graph: undefined, engine },
        [a, shuffled],
        options,
      );
      for (const [name, { data }] of randomWeights(own.graph, seed)) {
        expect((await permute(alignment, shuffled, own.spec).read(name)).data).toEqual(data);
      }
      expect(bound / objective.after).toBeCloseTo(1, 9);
    }
  });

  test.each(cases)("$name: is never below the identity, and the same for the same seed", async (own) => {
    for (let seed = 0; seed < 3; seed++) {
      const pair = [network(own, seed), network(own, seed + 50)] as const;
      const options = { seed, search: "frank-wolfe" as const, restarts: 2 };
      const runs = [await matchWeights({ spec: own.spec, graph: undefined, engine }, pair, options)];
      runs.push(await matchWeights({ spec: own.spec, graph: undefined, engine }, pair, options));
      expect(runs[0]?.alignment).toEqual(runs[1]?.alignment);
      expect(runs[0]?.objective.after).toBeGreaterThanOrEqual(runs[0]?.objective.before ?? 0);
      expect(runs[0]?.search).toBe("frank-wolfe");
      expect(runs[0]?.restarts.every(({ search }) => search === "frank-wolfe")).toBe(true);
    }
  });

  test("is the second search where both are tried", async () => {
    const own = cases[2] as NetworkCase;
    const result = await matchWeights(
      { spec: own.spec, graph: undefined, engine },
      [network(own, 1), network(own, 2)],
      { seed: 1, restarts: 3 },
    );
    expect(result.restarts.map(({ search }) => search)).toEqual([
      "coordinate-descent",
      "frank-wolfe",
      "coordinate-descent",
    ]);
    expect(result.restarts[1]?.iterations).toBeGreaterThan(0);
    expect(result.objective.after).toBe(Math.max(...result.restarts.map(({ objective }) => objective)));
  });

  test("refuses a search that it does not know", async () => {
    const own = cases[0] as NetworkCase;
    const run = matchWeights(
      { spec: own.spec, graph: undefined, engine },
      [network(own, 1), network(own, 2)],
      { seed: 1, search: "worst" as "best" },
    );
    await expect(run).rejects.toThrow(
      /search must be one of best, coordinate-descent, frank-wolfe: got worst/,
    );
  });
});

describe("bestStep()", () => {
  test("is where the parabola is highest in [0, 1]", () => {
    const slopes = fc.double({ min: -100, max: 100, noNaN: true });
    fc.assert(
      fc.property(fc.double({ min: 1e-3, max: 100, noNaN: true }), slopes, (start, end) => {
        const at = (t: number) => start * t + ((end - start) * t * t) / 2;
        const t = bestStep(start, end);
        expect(t).toBeGreaterThan(0);
        expect(t).toBeLessThanOrEqual(1);
        for (let k = 0; k <= 20; k++) expect(at(t)).toBeGreaterThanOrEqual(at(k / 20) - 1e-9);
      }),
    );
  });
});

describe("the bound of matchWeights()", () => {
  test.each(cases)("$name: no alignment exceeds it", async (own) => {
    for (let seed = 0; seed < 4; seed++) {
      const [a, b] = [network(own, seed), network(own, seed + 50)];
      const { bound, objective } = await matchWeights({ spec: own.spec, graph: undefined, engine }, [a, b], {
        seed,
      });
      expect(bound).toBeGreaterThanOrEqual(objective.after);
      let cauchy = 0;
      for (const [name, { role, fields }] of own.spec.weights) {
        if (role !== "parameter" || fields.length === 0) continue;
        const norm = (tensor: Tensor | undefined) =>
          Math.hypot(...((tensor?.data as Float32Array | undefined) ?? []));
        cauchy +=
          norm(randomWeights(own.graph, seed).get(name)) *
          norm(randomWeights(own.graph, seed + 50).get(name));
      }
      expect(bound).toBeLessThanOrEqual(cauchy * (1 + 1e-9));
    }
  });

  test("is the optimum where all but one symmetry are held", async () => {
    const own = cases.find(({ name }) => name === "mlp") as NetworkCase;
    for (const { name } of own.spec.symmetries) {
      const options = { seed: 1, only: [name] };
      const { bound, objective } = await matchWeights(
        { spec: own.spec, graph: undefined, engine },
        [network(own, 1), network(own, 2)],
        options,
      );
      expect(bound).toBeGreaterThanOrEqual(objective.after);
      expect(bound).toBeCloseTo(objective.after, 3);
    }
  });

  test("holds for every element of a small group, and for many of a nested one", async () => {
    const b = new GraphBuilder();
    const first = b.op("Relu", [b.linear(b.input("x", [2]), "l0", 2, 3)]);
    const second = b.op("Relu", [b.linear(first, "l1", 3, 3)]);
    const tiny = await networkCase(b.output(b.linear(second, "l2", 3, 2)).build("tiny"));
    expect(tiny.spec.symmetries.map(({ size }) => size)).toEqual([3, 3]);
    const sources = ORDERS.flatMap((one) =>
      ORDERS.map((two) => {
        const source = new Int32Array(tiny.spec.units);
        [one, two].forEach((order, index) => {
          const { firstUnit = 0 } = tiny.spec.symmetries[index] ?? {};
          order.forEach((unit, place) => {
            source[firstUnit + place] = firstUnit + unit;
          });
        });
        return source;
      }),
    );
    const attention = cases.find(({ name }) => name === "attention") as NetworkCase;
    const some = Array.from({ length: 100 }, (_, draw) => randomAlignment(attention.spec, draw).source);
    for (let seed = 0; seed < 5; seed++) {
      for (const [own, elements] of [
        [tiny, sources],
        [attention, some],
      ] as const) {
        const [a, other] = [network(own, seed), network(own, seed + 7)];
        const { bound, objective } = await matchWeights(
          { spec: own.spec, graph: undefined, engine },
          [a, other],
          { seed },
        );
        let best = Number.NEGATIVE_INFINITY;
        for (const source of elements) {
          best = Math.max(best, await innerProduct(own.spec, a, permute({ source }, other, own.spec)));
        }
        expect(best).toBeLessThanOrEqual(bound);
        expect(objective.after).toBeGreaterThanOrEqual(best - 1e-5);
      }
    }
  });

  /** Inner product of two networks over what can move. */
  async function innerProduct(spec: SymmetrySpec, a: Checkpoint, b: Checkpoint): Promise<number> {
    let sum = 0;
    for (const [name, { role, fields }] of spec.weights) {
      if (role !== "parameter" || fields.length === 0) continue;
      const other = (await b.read(name)).data as Float32Array;
      ((await a.read(name)).data as Float32Array).forEach((value, i) => {
        sum += value * (other[i] ?? 0);
      });
    }
    return sum;
  }

  const ORDERS = [
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
  ];
});

describe("findRelaxable()", () => {
  test("leaves positions of two units of one block to coordinate descent, and takes the rest", () => {
    const left = cases.map(({ name, spec }) => {
      const [tree, expander] = [createUnitTree(spec), createPlacementExpander(spec)];
      const matchers = tree.blocks.map((block) => {
        const costs = { costOf: () => Promise.reject(new TypeError("not asked for")) };
        const tools = { costs, solver: createAssignmentSolver(1, 1), isHeld: () => false };
        return new BlockMatcher(block, findOccurrences(tree, block, expander), tools);
      });
      const { blocks, usable } = findRelaxable(tree, matchers);
      return [name, blocks.length === tree.blocks.length, usable === undefined];
    });
    expect(left).toEqual([
      ["mlp", true, true],
      ["cnn", true, true],
      ["transformer", true, true],
      ["attention", true, true],
      ["recurrent", true, true],
      ["product", true, false],
      ["square", true, false],
    ]);
  });
});

describe("matchWeights() of networks with residual links", () => {
  test.each(["two layers", "one layer"] as const)("finds what was planted: %s", async (links) => {
    const own = await networkCase(residualMlp(30, links));
    for (const [seed, search] of MATCH_SEARCHES.entries()) {
      const a = network(own, seed);
      const shuffled = permute(randomAlignment(own.spec, seed), a, own.spec);
      const { alignment } = await matchWeights({ spec: own.spec, graph: undefined, engine }, [a, shuffled], {
        seed,
        search,
      });
      for (const [name, { data }] of randomWeights(own.graph, seed)) {
        expect((await permute(alignment, shuffled, own.spec).read(name)).data).toEqual(data);
      }
    }
  });
});
