import { expect, it } from "vitest";
import type { Engine } from "./engine.ts";
import type { Graph } from "./ir/graph.ts";
import { withLoad } from "./with-load.ts";

const graph: Graph = {
  name: "one",
  opsets: new Map(),
  inputs: [],
  weights: new Map(),
  constants: new Map(),
  nodes: [],
  outputs: [],
};

it("withLoad() follows the name of an engine, and loads by the engines that it chooses in the same way", async () => {
  const loads: unknown[] = [];
  const session = { run: async () => new Map(), async release() {} };
  const processor: Engine = {
    name: "processor",
    sharesMemory: true,
    load: async (_, options) => {
      loads.push(options?.threads);
      return session;
    },
  };
  let name = "unchosen";
  const chooser: Engine = {
    get name() {
      return name;
    },
    load: processor.load,
    async choose(workFor) {
      await workFor(processor);
      name = "chosen";
      return processor;
    },
  };
  const engine = withLoad(chooser, (inner, one, options) => inner.load(one, { ...options, threads: 1 }));
  expect(engine.name).toBe("unchosen");
  const seen: Engine[] = [];
  const chosen = await engine.choose?.(async (one) => {
    seen.push(one);
    return { graph };
  });
  expect(engine.name).toBe("chosen");
  expect([engine.sharesMemory, chosen?.sharesMemory]).toEqual([false, true]);
  // Steps are remembered by the engine that they were made for.
  expect(seen).toEqual([chosen]);
  await chosen?.load(graph, { threads: 4 });
  await engine.load(graph);
  expect(loads).toEqual([1, 1]);
  expect(withLoad(processor, (inner, one) => inner.load(one)).choose).toBeUndefined();
});
