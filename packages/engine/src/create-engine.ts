import type { Engine } from "@isthmus/graph";
import { createOnnxRuntimeEngine } from "./onnxruntime/create-onnxruntime-engine.ts";

/** Names of engines. */
export const ENGINE_NAMES = ["onnxruntime", "tfjs"] as const;

/** Name of an engine, see {@link ENGINE_NAMES}. */
export type EngineName = (typeof ENGINE_NAMES)[number];

/**
 * Creates the engine with a name.
 * @throws UnsupportedError if no package of TensorFlow.js is installed
 */
export async function createEngine(name: EngineName): Promise<Engine> {
  if (name === "onnxruntime") return createOnnxRuntimeEngine();
  const { createTfjsEngine } = await import("./tfjs/index.ts");
  return createTfjsEngine();
}
