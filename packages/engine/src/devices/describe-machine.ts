import { availableParallelism, freemem, totalmem } from "node:os";
import { messageOf } from "@isthmus/core";
import { describeOnnxRuntime } from "../onnxruntime/create-onnxruntime-engine.ts";
import { defaultThreads } from "../onnxruntime/default-threads.ts";
import { ACCELERATORS } from "./devices.ts";
import { type DeviceTrial, tryDevice } from "./try-device.ts";

/** What Isthmus can compute with on a machine. */
export interface MachineDescription {
  /** Version of Node.js. */
  readonly node: string;
  /** System as npm names it, such as `linux-x64`. */
  readonly system: string;
  /** Library that runs graphs, with its version and package; why there is none if it cannot be loaded. */
  readonly engine: string;
  /** Whether there is a library that runs graphs. */
  readonly works: boolean;
  /** Number of threads of a run. */
  readonly threads: number;
  /** Memory of the machine in bytes. */
  readonly memory: number;
  /** Memory in bytes that no program uses now. */
  readonly freeMemory: number;
  /** Devices other than the processor, each of which was tried. */
  readonly devices: readonly DeviceTrial[];
}

/**
 * Describes this machine as Isthmus sees it, and tries its devices: each computes a small graph in a process
 * of its own, which takes up to a minute if a driver does not answer.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { describeMachine } from "isthmus";
 *
 * const { node, threads, devices } = await describeMachine();
 * assert(node.startsWith("v") && threads >= 1);
 * for (const { device, works, missing } of devices) console.log(device, works ? "works" : `needs ${missing}`);
 * ```
 */
export async function describeMachine(): Promise<MachineDescription> {
  const engine = await describeOnnxRuntime().then(
    (text) => ({ text, works: true }),
    (error) => ({ text: messageOf(error), works: false }),
  );
  return {
    node: process.version,
    system: `${process.platform}-${process.arch}`,
    engine: engine.text,
    works: engine.works,
    threads: defaultThreads() || availableParallelism(),
    memory: totalmem(),
    freeMemory: freemem(),
    devices: await Promise.all(ACCELERATORS.map(tryDevice)),
  };
}
