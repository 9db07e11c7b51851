import { type AnyField, InputError } from "@isthmus/core";
import type { Variables } from "@isthmus/forms";
import { keyedOptions } from "../measurement/entry-params.ts";
import type { PlannedNetwork } from "../plan/planned-network.ts";
import type { Making } from "./group-maker.ts";
import { WEIGHTS_FILE } from "./making-task.ts";

/** Properties of a network that a task makes from another one, as far as they differ. */
export interface Derived extends Partial<PlannedNetwork> {
  /** Description of the network for people, made from the description of the other network. */
  readonly label: string;
  /** Key of the task. */
  readonly task: string;
  /** File of the weights in the folder of the task. @defaultValue `weights.safetensors` */
  readonly file?: string;
}

/**
 * Describes a network that a task makes from another one: it takes over all properties that are not named.
 */
export function deriveNetwork(
  { start, variables }: Pick<Making<"each", unknown>, "start" | "variables">,
  { task, file = WEIGHTS_FILE, ...made }: Derived,
): PlannedNetwork {
  return {
    ...start,
    ...made,
    variables: { ...start.variables, ...variables, ...made.variables },
    weights: { task, file },
  };
}

/**
 * Adds the variable that tells networks of one entry apart to the variables of the entry, which may have it
 * themselves if its value is the same.
 * @throws InputError if the entry has the variable with another value
 */
export function withMade(
  { group, variables }: Pick<Making<"none", unknown>, "group" | "variables">,
  name: string,
  made: number,
): Variables {
  const value = variables[name] ?? made;
  if (value === made) return { ...variables, [name]: made };
  throw new InputError(
    `Cannot plan "networks.${group}" of the study as its variable "${name}" must be the ${name} of each network: it is ${value}, and a network has ${made}; give it another name`,
    { input: group },
  );
}

/** Returns the options that decide the key of a task, from an entry and from the defaults of the fields. */
export function keyedOf(
  fields: Readonly<Record<string, AnyField>>,
  entry: object,
): Readonly<Record<string, unknown>> {
  return keyedOptions(fields, new Map(Object.entries(entry)));
}

/**
 * Largest count of numbers that are listed: a study with so many networks is refused before they are made.
 */
const MOST_LISTED = 100_000;

/** Lists whole numbers from one to another, but no more than a study may have networks. */
export function listNumbers(first: number, last: number): readonly number[] {
  const length = Math.min(MOST_LISTED, Math.max(0, last - first + 1));
  return Array.from({ length }, (_, index) => first + index);
}
