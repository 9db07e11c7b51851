import { isMainThread } from "node:worker_threads";
import { UnsupportedError } from "@isthmus/core";
import type { DeviceName, Engine, Session } from "@isthmus/graph";
import { assertDevice } from "../devices/assert-device.ts";
import { createAutoEngine } from "../devices/auto-engine.ts";
import { ACCELERATORS, type Accelerator, engineOnDevice } from "../devices/devices.ts";
import { fittingEngine } from "../devices/fitting-engine.ts";
import type { FollowPlacement } from "../devices/placement.ts";
import { isOfSystem, libraryFor, tryDevice } from "../devices/try-device.ts";
import { loadInstalled } from "../installed.ts";
import { createNativeRuntime } from "./create-native-runtime.ts";
import { createRuntimeEngine } from "./create-runtime-engine.ts";
import { findRuntime } from "./find-runtime.ts";
import { followPlacement } from "./placement.ts";
import type { Runtime } from "./runtime.ts";

/** Name by which the warnings of Isthmus are known in a process. */
export type WarningName = "IsthmusWarning";

const WARNING: WarningName = "IsthmusWarning";

const warned = new Set<string>();

/** Options of {@link createOnnxRuntimeEngine}. */
export interface OnnxRuntimeEngineOptions {
  /**
   * Device that computes: `cpu` is the processor, and `auto` tries each graph on every device that works here
   * and takes the fastest. Bits of results are promised for the processor only. @defaultValue "cpu"
   */
  readonly device?: DeviceName | undefined;
  /**
   * Called with what `auto` chose, and why, and with the smaller batch of an evaluation for which memory was
   * too small. @defaultValue warnings of the process
   */
  readonly onNote?: ((text: string) => void) | undefined;
  /**
   * Called after the first run of each graph with the number of its nodes that ran on the device, and those
   * that ran on the processor in its place. @defaultValue nothing is counted
   */
  readonly onPlacement?: FollowPlacement | undefined;
}

/**
 * Returns the default engine: onnxruntime on the processor, or on another device of this machine. Its
 * library is looked for when the name is first read or a graph is loaded: the native one that npm installs
 * for this system, then that of `onnxruntime-node`, then WebAssembly, of `@isthmus/onnxruntime-wasm` or
 * `onnxruntime-web`, which is several times slower, so that the process warns once. The name is `onnxruntime`
 * or `onnxruntime-wasm`, and on another device ends with its name, as in `onnxruntime-webgpu`.
 *
 * Results of the processor have the same bits on every run with the same number of threads. By default a run
 * uses every core, or as many threads as the variable `ISTHMUS_ENGINE_THREADS` states: 1 is fastest if
 * several programs share the cores.
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
export function createOnnxRuntimeEngine(options: OnnxRuntimeEngineOptions = {}): Engine {
  const { device = "cpu", onNote = warn, onPlacement } = options;
  assertDevice(device);
  const follow = { onNote, onPlacement };
  if (device === "cpu") return createProcessor(onNote);
  if (device !== "auto") return engineOf(device, follow);
  return createAutoEngine({
    processor: createProcessor(onNote),
    listTrials: () => Promise.all(ACCELERATORS.filter(isOfSystem).map(tryDevice)),
    engineOf: (accelerator) => engineOf(accelerator, follow),
    onNote,
  });
}

/** Returns an engine on the processor, of its own, as callers keep what belongs to an engine by it. */
function createProcessor(onNote: (text: string) => void): Engine {
  return {
    note: onNote,
    get name() {
      return findRuntime().engine;
    },
    get sharesMemory() {
      return hasNativeLibrary();
    },
    async load(graph, options): Promise<Session> {
      const { note, start } = findRuntime();
      if (note !== undefined) warn(note);
      return createRuntimeEngine(await start()).load(graph, options);
    },
  };
}

/** Returns the engine on a device other than the processor. */
function engineOf(
  device: Accelerator,
  { onNote, onPlacement }: { onNote: (text: string) => void; onPlacement: FollowPlacement | undefined },
): Engine {
  const processor = createProcessor(onNote);
  return {
    note: onNote,
    name: engineOnDevice(device),
    async load(graph, options = {}): Promise<Session> {
      // Only probes and proofs need every value computed as written, and they are small.
      if (options.optimize === false) return processor.load(graph, options);
      // A driver that fails must not end this process, nor fill the terminal with its own warnings.
      const { works } = await tryDevice(device);
      const runtime = (works ? runtimeOf(device) : undefined) ?? (await refuse(device));
      const followed = onPlacement === undefined ? runtime : followPlacement(runtime, onPlacement);
      return fittingEngine(createRuntimeEngine(followed), processor).load(graph, options);
    },
  };
}

const runtimes = new Map<Accelerator, Runtime>();

/** Returns the build of onnxruntime that computes on a device; undefined if no installed library can. */
function runtimeOf(device: Accelerator): Runtime | undefined {
  const path = libraryFor(device);
  if (path === undefined) return undefined;
  const runtime =
    runtimes.get(device) ??
    createNativeRuntime(loadInstalled(path) as Parameters<typeof createNativeRuntime>[0], device);
  runtimes.set(device, runtime);
  return runtime;
}

/** Throws the error for a device that does not work here, which says what is missing. */
async function refuse(device: Accelerator): Promise<never> {
  const { missing = "a driver", broughtBy } = await tryDevice(device);
  const advice = broughtBy === undefined ? "take" : `get it (${broughtBy}), or take`;
  throw new UnsupportedError(
    `Cannot compute on device "${device}" as it needs ${missing}, which is not here; ${advice} device "cpu" or "auto"`,
    { feature: device },
  );
}

/** Checks whether the default engine computes by a native library, not in WebAssembly or not at all. */
export function hasNativeLibrary(): boolean {
  try {
    return findRuntime().note === undefined;
  } catch {
    return false;
  }
}

/** Warns once with the same words; the threads of a program say nothing, as it says it itself. */
function warn(note: string): void {
  if (warned.has(note) || !isMainThread) return;
  warned.add(note);
  process.emitWarning(note, WARNING);
}

/** Returns the default engine's build in words: its name, version and package. */
export async function describeOnnxRuntime(): Promise<string> {
  const { engine, library, start } = findRuntime();
  const { version } = await start();
  return `${engine} ${version} (${library})`;
}
