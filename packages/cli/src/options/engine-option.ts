import { Option } from "@commander-js/extra-typings";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { createTfjsEngine } from "@isthmus/engine/tfjs";
import type { Engine } from "@isthmus/graph";
import { addRareOptions } from "./help-groups.ts";
import { type AddOptions, optionGroup } from "./option-group.ts";

/** Names of engines that `--engine` takes. */
export const ENGINE_NAMES = ["onnxruntime", "tfjs"] as const;

/** One of {@link ENGINE_NAMES}. */
export type EngineName = (typeof ENGINE_NAMES)[number];

/** The option on the engine of a verb that runs graphs. */
export type EngineOptions = {
  readonly engine: EngineName;
};

/** Adds the option `--engine` of every verb that runs graphs. */
export const addEngineOption: AddOptions<EngineOptions> = optionGroup((command) => {
  addRareOptions(command, (rare) =>
    rare.addOption(
      new Option("--engine <name>", "the engine that runs the graph; tfjs needs a package of TensorFlow.js")
        .choices(ENGINE_NAMES)
        .default("onnxruntime"),
    ),
  );
});

/**
 * Creates the engine that has a name.
 * @throws UnsupportedError if no package of TensorFlow.js is installed
 */
export async function createEngine(name: EngineName): Promise<Engine> {
  return name === "tfjs" ? createTfjsEngine() : createOnnxRuntimeEngine();
}
