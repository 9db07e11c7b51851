import { closestName, InputError } from "@isthmus/core";
import type { GivenParameters, ParameterSpecs } from "@isthmus/merging";

/** Something of a name, with values of its parameters: `{ name: "krum", f: 2 }`. */
export interface Named {
  readonly name: string;
  readonly [parameter: string]: string | number | boolean;
}

/** A thing of a registry with values of its parameters. */
export interface LookedUp<T> {
  readonly of: T;
  readonly parameters: GivenParameters<ParameterSpecs>;
}

/**
 * Finds a rule, a step, a partition or an attack by its name.
 * @param what - what is looked for, for messages
 * @throws InputError if there is none of that name
 */
export function lookUp<T>(
  what: string,
  registry: ReadonlyMap<string, T>,
  described: string | Named,
): LookedUp<T> {
  const { name, ...parameters } = typeof described === "string" ? { name: described } : described;
  const of = registry.get(name);
  if (of !== undefined) return { of, parameters };
  const meant = closestName(name, [...registry.keys()]);
  const hint =
    meant === undefined ? `known are ${[...registry.keys()].join(", ")}` : `did you mean "${meant}"?`;
  throw new InputError(`Cannot look up a ${what} as there is none of the name "${name}": ${hint}`, {
    input: name,
  });
}
