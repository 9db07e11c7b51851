import type { Checkpoint } from "@isthmus/core";
import { bindWeights, createEvaluator, type Graph } from "@isthmus/graph";
import { beforeAll, describe, expect, it } from "vitest";
import {
  networksOnSimplex,
  type SimplexVertex,
  type SimplexVerticesOptions,
  scatterNetwork,
  simplexVertices,
} from "../src/index.ts";
import { data, smallArchitecture, testData, trained } from "./small-task.ts";

const architecture = smallArchitecture();
let start: Checkpoint;
beforeAll(async () => {
  start = await trained(0);
});

const training = {
  ...{ seed: 3, epochs: 6, batch: 12, threads: 1 },
  schedule: { kind: "cosine", learningRate: 0.1 } as const,
};

async function verticesOf(
  options: Partial<SimplexVerticesOptions> = {},
  starts: readonly Checkpoint[] = [start],
  of = architecture,
): Promise<SimplexVertex[]> {
  const vertices: SimplexVertex[] = [];
  for await (const vertex of simplexVertices(of, starts, data, { ...training, members: 2, ...options }))
    vertices.push(vertex);
  return vertices;
}

const numbersOf = async (graph: Graph, network: Checkpoint) =>
  [...(await bindWeights(graph, network)).values()].map((tensor) => [...(tensor.data as Float32Array)]);

async function lossOf(network: Checkpoint): Promise<number> {
  const evaluator = await createEvaluator(architecture, testData);
  try {
    return (await evaluator.evaluate(network)).loss;
  } finally {
    await evaluator.release();
  }
}

describe("simplexVertices()", () => {
  it("makes a larger simplex the more its volume counts, with networks of low loss in it", async () => {
    const volumes: number[] = [];
    for (const volume of [0, 0.01, 0.1]) {
      const vertices = await verticesOf({ volume });
      const last = vertices.at(-1) as SimplexVertex;
      volumes.push(last.logVolumes[0] as number);
      if (volume !== 0.01) continue;
      const corners = [start, ...vertices.map(({ network }) => network)];
      const of = { seed: 1, members: 5, statisticsData: data };
      for await (const network of networksOnSimplex(architecture, corners, of))
        expect(await lossOf(network)).toBeLessThan(2 * (await lossOf(start)) + 0.2);
    }
    expect(volumes[1] as number).toBeGreaterThan(volumes[0] as number);
    expect(volumes[2] as number).toBeGreaterThan(volumes[1] as number);
  });

  it("gives the same bytes by the same seed, also where it goes on after vertices that are there", async () => {
    const { graph } = architecture;
    const all = await verticesOf();
    const made = all.slice(0, 1).map(({ network }) => network);
    const [second, ...none] = await verticesOf({ made });
    expect(none).toEqual([]);
    const last = all[1] as SimplexVertex;
    expect(await numbersOf(graph, (second as SimplexVertex).network)).toEqual(
      await numbersOf(graph, last.network),
    );
    expect(second?.heights).toEqual(last.heights);
    const [other] = await verticesOf({ seed: 4 });
    expect(await numbersOf(graph, (other as SimplexVertex).network)).not.toEqual(
      await numbersOf(graph, (all[0] as SimplexVertex).network),
    );
  });

  it("connects several starts by vertices that they share", async () => {
    const starts = [start, await trained(1)];
    const [vertex] = await verticesOf({ members: 1 }, starts);
    expect(vertex?.heights).toHaveLength(2);
    // Of two vertices the volume is the distance.
    expect(vertex?.logVolumes).toEqual(vertex?.heights.map((height) => expect.closeTo(Math.log(height), 9)));
  });

  it("measures batch norms of vertices anew", async () => {
    const normed = smallArchitecture(true);
    const from = await trained(0, normed.graph);
    const [vertex] = await verticesOf({ members: 1, epochs: 1 }, [from], normed);
    const names = [...normed.graph.weights.keys()].filter((name) => name.includes("mean"));
    expect(names).not.toEqual([]);
    for (const name of names)
      expect((await vertex?.network.read(name))?.data).not.toEqual((await from.read(name)).data);
  });

  it.each([
    [{ members: 0 }, /"members" must be a whole number/],
    [{ volume: -1 }, /"volume" must be a number of at least 0: it is -1/],
    [{ spread: 0 }, /"spread" must be a number of more than 0: it is 0/],
  ])("refuses %o", async (options, message) => {
    await expect(verticesOf(options)).rejects.toThrow(message);
  });

  it("refuses to begin with nothing", async () => {
    await expect(verticesOf({}, [])).rejects.toThrow(/a network to start from: there are none/);
  });
});

describe("scatterNetwork()", () => {
  it("goes as far as another network, in another direction, the same by the same seed", async () => {
    const other = await trained(1);
    const scatter = (seed: number) =>
      scatterNetwork(architecture, [start, other], { seed, statisticsData: data });
    const [one, same, another] = [await scatter(0), await scatter(0), await scatter(1)];
    const { graph } = architecture;
    expect(await numbersOf(graph, one)).toEqual(await numbersOf(graph, same));
    expect(await numbersOf(graph, one)).not.toEqual(await numbersOf(graph, another));
    const lengths = async (network: Checkpoint) => {
      const from = (await numbersOf(graph, start)).map((numbers) => Float64Array.from(numbers));
      return (await numbersOf(graph, network)).map((numbers, i) =>
        Math.hypot(...numbers.map((value, k) => value - (from[i]?.[k] ?? Number.NaN))),
      );
    };
    expect(await lengths(one)).toEqual(
      (await lengths(other)).map((length) => expect.closeTo(length, 4) as number),
    );
  });
});
