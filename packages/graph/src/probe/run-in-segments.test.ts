import { createCheckpoint, entry } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { describe, expect, test } from "vitest";
import { streamNetwork } from "../../../../test/helpers/stream-networks.ts";
import type { Engine } from "../engine.ts";
import { probeGraph } from "./probe-graph.ts";
import { randomInputs } from "./random-inputs.ts";
import { randomWeights } from "./random-weights.ts";
import { runAll } from "./run-all.ts";
import { runInSegments } from "./run-in-segments.ts";

const engine = createOnnxRuntimeEngine();

describe("runInSegments()", () => {
  test.each([1, 4096, 2 ** 25])(
    "computes the values of each network as one run does, in segments of %i bytes",
    async (segmentBytes) => {
      const graph = streamNetwork("layer");
      const inputs = randomInputs(graph, 2, 0);
      const weights = [0, 1].map((seed) => randomWeights(graph, seed));
      const whole = await Promise.all(
        weights.map((some) => runAll(graph, engine, new Map([...inputs, ...some]))),
      );
      const networks = weights.map((some) => createCheckpoint(some));
      // Shapes are known then, so that only segments are loaded.
      await probeGraph({ graph, engine });
      let loaded = 0;
      const counting: Engine = {
        ...engine,
        load: (...some) => {
          loaded++;
          return engine.load(...some);
        },
      };
      const visited: string[] = [];
      await runInSegments(
        { graph, engine: counting },
        { inputs, networks, segmentBytes },
        (name, tensors) => {
          visited.push(name);
          expect(tensors).toEqual(whole.map((values) => entry(values, name)));
        },
      );
      const computed = graph.nodes.flatMap(({ outputs }) => outputs).filter((name) => name !== "");
      expect(visited).toEqual(computed);
      if (segmentBytes === 1) expect(loaded).toBe(graph.nodes.length);
      if (segmentBytes > 1e6) expect(loaded).toBe(1);
    },
  );

  test("names the weights that a network lacks, before anything is run", async () => {
    const graph = streamNetwork("layer");
    const inputs = randomInputs(graph, 2, 0);
    const networks = [createCheckpoint(new Map())];
    const run = runInSegments({ graph, engine }, { inputs, networks }, () => {});
    await expect(run).rejects.toThrow("lacks");
  });
});
