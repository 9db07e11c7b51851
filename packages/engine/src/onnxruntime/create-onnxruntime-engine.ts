import type { Engine } from "@isthmus/graph";
import { createRuntimeEngine } from "./create-runtime-engine.ts";
import { NATIVE } from "./native-runtime.ts";

/**
 * Returns the default engine: onnxruntime on the CPU, as shipped in the npm package `onnxruntime-node`.
 *
 * Results have the same bits on every run with the same number of threads. By default a run uses every core,
 * or as many threads as the variable `ISTHMUS_ENGINE_THREADS` states: 1 is fastest if several programs share
 * the cores.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { bindWeights, createOnnxRuntimeEngine, openDataSet, parseNetwork } from "isthmus";
 *
 * const data = await openDataSet("mnist:test@5");
 * const { graph, initialize } = parseNetwork("mlp:8", data);
 * const session = await createOnnxRuntimeEngine().load(graph);
 * const [input] = graph.inputs;
 * assert(input !== undefined);
 * const weights = await bindWeights(graph, initialize(0));
 * const feeds = new Map([...weights, [input.name, data.read(0, 5).inputs]]);
 * const [logits] = [...(await session.run(feeds)).values()];
 * assert.deepEqual(logits?.shape, [5, 10]);
 * await session.release();
 * ```
 */
export function createOnnxRuntimeEngine(): Engine {
  return createRuntimeEngine(NATIVE);
}
