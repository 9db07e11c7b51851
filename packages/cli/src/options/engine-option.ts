import { Option } from "@commander-js/extra-typings";
import { ENGINE_NAMES, type EngineName } from "@isthmus/engine";
import { addRareOptions } from "./help-groups.ts";
import { type AddOptions, optionGroup } from "./option-group.ts";

/** Option for the engine of a verb that runs graphs. */
export type EngineOptions = {
  /** Name of the engine that runs graphs. @defaultValue "onnxruntime" */
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
