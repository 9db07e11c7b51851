import { closestName, InputError, UsageError } from "@isthmus/core";
import type { GivenParameters, ParameterSpecs } from "@isthmus/merging";

/** A name of a registry, with values of its parameters: `{ name: "krum", f: 2 }`. */
export interface Named {
  /** Name of the entry in its registry, such as `krum`. */
  readonly name: string;
  /** Values of its parameters by their names. */
  readonly [parameter: string]: string | number | boolean;
}

/** An entry of a registry, with values of its parameters. */
export interface LookedUp<T> {
  /** Entry that was found: the rule, step, partition or attack itself. */
  readonly of: T;
  /** Values of its parameters that were given, by name; others have their defaults. */
  readonly parameters: GivenParameters<ParameterSpecs>;
}

/**
 * Finds a rule, a step, a partition or an attack by its name, or by a text such as `krum:f=2`.
 * @param what - kind of the entry, for messages
 * @throws InputError if the registry has no entry of that name
 */
export function lookUp<T>(
  what: string,
  registry: ReadonlyMap<string, T>,
  described: string | Named,
): LookedUp<T> {
  const { name, ...parameters } = typeof described === "string" ? parseNamed(described) : described;
  const of = registry.get(name);
  if (of !== undefined) return { of, parameters };
  const meant = closestName(name, [...registry.keys()]);
  const hint =
    meant === undefined ? `known are ${[...registry.keys()].join(", ")}` : `did you mean "${meant}"?`;
  throw new InputError(`Cannot find "${name}" as there is no ${what} of that name: ${hint}`, {
    input: name,
  });
}

/** Reads a name with values of parameters, such as `krum:f=2,weighted=true`. */
function parseNamed(text: string): Named {
  const [name = "", parameters] = splitAt(text, ":");
  if (parameters === undefined) return { name };
  const values = parameters.split(",").map((pair): [string, string | number | boolean] => {
    const [key = "", value] = splitAt(pair, "=");
    if (key === "" || value === undefined) {
      throw new UsageError(`Cannot read "${text}" as parameters must be written name:key=value,key=value`);
    }
    return [key, parseValue(value)];
  });
  return { ...Object.fromEntries(values), name };
}

function parseValue(text: string): string | number | boolean {
  if (text === "true" || text === "false") return text === "true";
  const number = Number(text);
  return text.trim() === "" || Number.isNaN(number) ? text : number;
}

function splitAt(text: string, separator: string): [string, string?] {
  const place = text.indexOf(separator);
  return place < 0 ? [text] : [text.slice(0, place), text.slice(place + 1)];
}
