import { Option } from "@commander-js/extra-typings";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { createTfjsEngine } from "@isthmus/engine/tfjs";
import type { Engine } from "@isthmus/graph";

/** Engines by the name `--engine` takes. */
export const ENGINE_NAMES = ["onnxruntime", "tfjs"] as const;

/** One of {@link ENGINE_NAMES}. */
export type EngineName = (typeof ENGINE_NAMES)[number];

/** What a verb that runs graphs is told of the engine; an alias, as commander wants types with an implicit index signature. */
export type EngineOptions = {
  readonly engine: EngineName;
};

/** The option `--engine` of every verb that runs graphs. */
export function engineOption(): Option<"--engine <name>", undefined, "onnxruntime", EngineName, true> {
  return new Option("--engine <name>", "what runs the graph: tfjs needs a package of TensorFlow.js")
    .choices(ENGINE_NAMES)
    .default("onnxruntime" as const)
    .makeOptionMandatory() as Option<"--engine <name>", undefined, "onnxruntime", EngineName, true>;
}

/**
 * Makes the engine of a name.
 * @throws UnsupportedError if no package of TensorFlow.js is installed
 */
export async function createEngine(name: EngineName): Promise<Engine> {
  return name === "tfjs" ? createTfjsEngine() : createOnnxRuntimeEngine();
}
