import { OutOfRangeError } from "@isthmus/core";
import { DEVICE_NAMES, type Engine } from "@isthmus/graph";
import { engineOnDevice, type OnnxRuntimeName } from "./devices/devices.ts";
import {
  createOnnxRuntimeEngine,
  type OnnxRuntimeEngineOptions,
} from "./onnxruntime/create-onnxruntime-engine.ts";

/** Names of engines. */
export const ENGINE_NAMES = ["onnxruntime", "tfjs"] as const;

/**
 * Name of an engine, see {@link ENGINE_NAMES}; onnxruntime on a device other than the processor has the
 * device's name behind its own, as in `onnxruntime-webgpu`.
 */
export type EngineName = "tfjs" | OnnxRuntimeName;

/**
 * Creates the engine with a name.
 * @throws UnsupportedError if no package of TensorFlow.js is installed
 * @throws OutOfRangeError if there is no engine of that name
 */
export async function createEngine(
  name: EngineName,
  options: Omit<OnnxRuntimeEngineOptions, "device"> = {},
): Promise<Engine> {
  const device = DEVICE_NAMES.find((one) => engineOnDevice(one) === name);
  if (device !== undefined) return createOnnxRuntimeEngine({ ...options, device });
  if (name !== "tfjs") {
    throw new OutOfRangeError(
      `Cannot create an engine as its name must be one of ${[...DEVICE_NAMES.map(engineOnDevice), "tfjs"].join(", ")}: it is "${name}"`,
    );
  }
  const { createTfjsEngine } = await import("./tfjs/index.ts");
  return createTfjsEngine();
}
