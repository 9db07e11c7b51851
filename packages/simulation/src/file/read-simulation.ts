import { InputError } from "@isthmus/core";
import { namedStrategy, STRATEGIES } from "@isthmus/federated";
import { findProblems, readYamlFile, rejectProblems } from "@isthmus/forms";
import type { SimulationDescription } from "../description/simulation-description.ts";
import { isEmpty, SIMULATION } from "./simulation-schema.ts";

/**
 * Reads a simulation from a YAML file.
 * @throws InputError if the file cannot be read, or does not have the form of a simulation; the message names
 * the lines
 * @throws FormatError if the file is not YAML
 * @throws UsageError if a strategy cannot be taken by its name alone
 */
export async function readSimulation(path: string): Promise<SimulationDescription> {
  const { name, source, value: written } = await readYamlFile(path, "simulation");
  const value = nameStrategies(written);
  rejectProblems("simulation", name, findProblems(SIMULATION, value, { source }));
  const description = value as SimulationDescription;
  if (description.attacks === undefined) return description;
  const attacks = Object.entries(description.attacks).map(([key, attack]) => [
    key,
    isEmpty(attack) ? null : attack,
  ]);
  return { ...description, attacks: Object.fromEntries(attacks) };
}

/**
 * Replaces strategies that a file gives by name by their descriptions. The name is a text, or the key of an
 * empty entry. All other entries are left unchanged, for the schema to check.
 * @param value - value of the file, not yet checked
 * @throws InputError if there is no strategy of a name, or an entry is empty and its key is not the name of a
 * strategy
 * @throws UsageError if a strategy cannot be taken by its name alone
 */
function nameStrategies(value: unknown): unknown {
  const { strategies } = (value ?? {}) as { readonly strategies?: unknown };
  if (typeof strategies !== "object" || strategies === null || Array.isArray(strategies)) return value;
  const entries = Object.entries(strategies).map(([key, one]) => [key, nameStrategy(key, one)]);
  return { ...(value as object), strategies: Object.fromEntries(entries) };
}

function nameStrategy(key: string, value: unknown): unknown {
  if (typeof value === "string") return namedStrategy(value);
  if (value !== null && !isEmpty(value)) return value;
  if (STRATEGIES.has(key)) return namedStrategy(key);
  throw new InputError(
    `Cannot simulate the strategy "${key}" as it says nothing, and there is none that is known by this name: write what it is, as { rule: fedavg }, or a name such as fedadam; known are ${[...STRATEGIES.keys()].join(", ")}`,
    { input: key },
  );
}
