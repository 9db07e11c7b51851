import { isMainThread } from "node:worker_threads";
import type { Engine, Session } from "@isthmus/graph";
import { createRuntimeEngine } from "./create-runtime-engine.ts";
import { findRuntime } from "./find-runtime.ts";

/** Name by which the warnings of Isthmus are known in a process. */
export type WarningName = "IsthmusWarning";

const WARNING: WarningName = "IsthmusWarning";

let hasWarned = false;

/**
 * Returns the default engine: onnxruntime on the CPU. Its library is looked for when the name is first read
 * or a graph is loaded: the native one that npm installs for this system, then that of `onnxruntime-node`,
 * then WebAssembly, of `@isthmus/onnxruntime-wasm` or `onnxruntime-web`, which is several times slower, so
 * that the process warns once. The name is `onnxruntime` or `onnxruntime-wasm`.
 *
 * Results have the same bits on every run with the same number of threads. By default a run uses every core,
 * or as many threads as the variable `ISTHMUS_ENGINE_THREADS` states: 1 is fastest if several programs share
 * the cores.
 *
 * If there is no library, as after an installation with `--omit=optional`, reading the name and loading a
 * graph throw an UnsupportedError that names the package to install.
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
  return {
    get name() {
      return findRuntime().engine;
    },
    get sharesMemory() {
      return hasNativeLibrary();
    },
    async load(graph, options): Promise<Session> {
      const { note, start } = findRuntime();
      if (note !== undefined) warnOnce(note);
      return createRuntimeEngine(await start()).load(graph, options);
    },
  };
}

/** Checks whether the default engine computes by a native library, not in WebAssembly or not at all. */
export function hasNativeLibrary(): boolean {
  try {
    return findRuntime().note === undefined;
  } catch {
    return false;
  }
}

/** Warns of slow graphs; the threads of a program say nothing, as it says it itself. */
function warnOnce(note: string): void {
  if (hasWarned || !isMainThread) return;
  hasWarned = true;
  process.emitWarning(note, WARNING);
}

/** Returns the default engine's build in words: its name, version and package. */
export async function describeOnnxRuntime(): Promise<string> {
  const { engine, library, start } = findRuntime();
  const { version } = await start();
  return `${engine} ${version} (${library})`;
}
