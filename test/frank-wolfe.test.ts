import { createCheckpoint, type Tensor } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import {
  discoverSymmetries,
  type Graph,
  permute,
  randomAlignment,
  randomWeights,
  type SymmetrySpec,
} from "@isthmus/graph";
import { matchWeights } from "@isthmus/weight-matching";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bestStep } from "../packages/weight-matching/src/frank-wolfe/frank-wolfe.ts";
import {
  bareAttention,
  outerProduct,
  smallCnn,
  smallMlp,
  smallRecurrent,
  smallTransformer,
} from "./helpers/small-networks.ts";

const engine = createOnnxRuntimeEngine();

interface Case {
  readonly name: string;
  readonly graph: Graph;
  readonly spec: SymmetrySpec;
}

const cases: Case[] = await Promise.all(
  [
    smallMlp(),
    smallCnn(),
    smallTransformer(),
    bareAttention(),
    smallRecurrent(),
    outerProduct(false),
    outerProduct(true),
  ].map(async (graph) => ({
    name: graph.name,
    graph,
    spec: (await discoverSymmetries(graph, engine)).spec,
  })),
);

const network = ({ graph }: Case, seed: number) => createCheckpoint(randomWeights(graph, seed));

describe("matchWeights() by Frank-Wolfe", () => {
  test.each(cases)("$name: finds a planted permutation, 10 times of 10", async (own) => {
    for (let seed = 0; seed < 10; seed++) {
      const a = network(own, seed);
      const shuffled = permute(randomAlignment(own.spec, seed), a, own.spec);
      const options = { seed, engine, search: "frank-wolfe" as const };
      const { alignment, objective, bound } = await matchWeights(a, shuffled, own.spec, options);
      for (const [name, { data }] of randomWeights(own.graph, seed)) {
        expect((await permute(alignment, shuffled, own.spec).read(name)).data).toEqual(data);
      }
      expect(bound / objective.after).toBeCloseTo(1, 9);
    }
  });

  test.each(cases)("$name: is never below the identity, and the same for the same seed", async (own) => {
    for (let seed = 0; seed < 3; seed++) {
      const pair = [network(own, seed), network(own, seed + 50)] as const;
      const options = { seed, engine, search: "frank-wolfe" as const, restarts: 2 };
      const runs = [await matchWeights(...pair, own.spec, options)];
      runs.push(await matchWeights(...pair, own.spec, options));
      expect(runs[0]?.alignment).toEqual(runs[1]?.alignment);
      expect(runs[0]?.objective.after).toBeGreaterThanOrEqual(runs[0]?.objective.before ?? 0);
      expect(runs[0]?.search).toBe("frank-wolfe");
      expect(runs[0]?.restarts.every(({ search }) => search === "frank-wolfe")).toBe(true);
    }
  });

  test("is the second search where both are tried", async () => {
    const own = cases[2] as Case;
    const result = await matchWeights(network(own, 1), network(own, 2), own.spec, {
      seed: 1,
      engine,
      restarts: 3,
    });
    expect(result.restarts.map(({ search }) => search)).toEqual([
      "coordinate-descent",
      "frank-wolfe",
      "coordinate-descent",
    ]);
    expect(result.restarts[1]?.iterations).toBeGreaterThan(0);
    expect(result.objective.after).toBe(Math.max(...result.restarts.map(({ objective }) => objective)));
  });

  test("refuses a search that it does not know", async () => {
    const own = cases[0] as Case;
    const run = matchWeights(network(own, 1), network(own, 2), own.spec, {
      seed: 1,
      search: "worst" as "best",
    });
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
      const { bound, objective } = await matchWeights(a, b, own.spec, { seed, engine });
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
    const own = cases.find(({ name }) => name === "mlp") as Case;
    for (const { name } of own.spec.symmetries) {
      const options = { seed: 1, engine, only: [name] };
      const { bound, objective } = await matchWeights(network(own, 1), network(own, 2), own.spec, options);
      expect(bound).toBeGreaterThanOrEqual(objective.after);
      expect(bound).toBeCloseTo(objective.after, 3);
    }
  });

  test("holds for every element of small groups", async () => {
    const own = cases.find(({ name }) => name === "attention") as Case;
    for (let seed = 0; seed < 5; seed++) {
      const [a, b] = [network(own, seed), network(own, seed + 7)];
      const { bound } = await matchWeights(a, b, own.spec, { seed, engine });
      for (let draw = 0; draw < 100; draw++) {
        const moved = permute(randomAlignment(own.spec, draw), b, own.spec);
        let sum = 0;
        for (const [name, { role, fields }] of own.spec.weights) {
          if (role !== "parameter" || fields.length === 0) continue;
          const other = (await moved.read(name)).data as Float32Array;
          ((await a.read(name)).data as Float32Array).forEach((value, i) => {
            sum += value * (other[i] ?? 0);
          });
        }
        expect(sum).toBeLessThanOrEqual(bound);
      }
    }
  });
});
