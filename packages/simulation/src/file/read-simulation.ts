import { findProblems, readYamlFile, rejectProblems } from "@isthmus/forms";
import type { SimulationDescription } from "../description/simulation-description.ts";
import { nameStrategies } from "./name-strategies.ts";
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
