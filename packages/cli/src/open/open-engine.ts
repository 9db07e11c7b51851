import { UsageError } from "@isthmus/core";
import { createEngine, type EngineName, engineOnDevice, type Placement } from "@isthmus/engine";
import { DEVICE_NAMES, type Engine } from "@isthmus/graph";
import { plural } from "../format/plural.ts";
import type { EngineOptions } from "../options/engine-option.ts";
import type { Context } from "../verb.ts";
import { followDevice } from "./follow-device.ts";

/** Devices other than the processor. */
const ACCELERATORS = DEVICE_NAMES.filter((device) => device !== "cpu" && device !== "auto");

/**
 * Returns the name of the engine that options ask for, the name of its device included.
 * @throws UsageError if the engine computes on no device of choice
 */
export function engineNameOf({
  engine = "onnxruntime",
  device = "cpu",
}: Partial<Pick<EngineOptions, "engine" | "device">>): EngineName {
  if (engine === "onnxruntime") return engineOnDevice(device);
  if (device === "cpu") return engine;
  throw new UsageError(
    `Cannot compute on device "${device}" by engine "${engine}" as only onnxruntime has devices: leave out --engine, or --device`,
  );
}

/** Creates the engine that options ask for; what it says goes to the terminal. */
export async function openEngine(
  { verbose, ...options }: Partial<EngineOptions>,
  { terminal }: Pick<Context, "terminal">,
): Promise<Engine> {
  const engine = await createEngine(engineNameOf(options), {
    onNote: terminal.note,
    onPlacement: verbose && ((placement) => terminal.note(describePlacement(placement))),
  });
  followDevice(terminal, () =>
    ACCELERATORS.find(
      (device) => engineNameOf(options) !== "onnxruntime" && engineOnDevice(device) === engine.name,
    ),
  );
  return engine;
}

function describePlacement({ graph, onDevice, onProcessor }: Placement): string {
  const here = [...onProcessor].map(([op, count]) => `${count} ${op}`);
  const left = here.length === 0 ? "none on the processor" : `on the processor ${here.join(", ")}`;
  return `Graph "${graph}": ${plural(onDevice, "node", "nodes")} on the device, ${left}`;
}
