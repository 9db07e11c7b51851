import { Option } from "@commander-js/extra-typings";
import { ENGINE_NAMES } from "@isthmus/engine";
import { DEVICE_NAMES, type DeviceName } from "@isthmus/graph";
import { addRareOptions } from "./help-groups.ts";
import { type AddOptions, optionGroup } from "./option-group.ts";

/** Options for the engine of a verb that runs graphs. */
export type EngineOptions = {
  /** Name of the engine that runs graphs. @defaultValue "onnxruntime" */
  readonly engine: (typeof ENGINE_NAMES)[number];
  /** Name of the device that computes. @defaultValue "cpu", or that of a study's or simulation's file */
  readonly device?: DeviceName | undefined;
  /** Whether the nodes of each graph are counted that run on the device. @defaultValue nothing is counted */
  readonly verbose?: true | undefined;
};

/** Adds the options `--engine`, `--device` and `--verbose` of every verb that runs graphs. */
export const addEngineOption: AddOptions<EngineOptions> = optionGroup((command) => {
  command.addOption(
    new Option(
      "--device <name>",
      "device that computes; isthmus doctor lists what works here (default: cpu)",
    ).choices(DEVICE_NAMES),
  );
  addRareOptions(command, (rare) =>
    rare
      .addOption(
        new Option("--engine <name>", "the engine that runs the graph; tfjs needs a package of TensorFlow.js")
          .choices(ENGINE_NAMES)
          .default("onnxruntime"),
      )
      .option("--verbose", "say how many nodes of each graph run on the device, and which do not"),
  );
});
