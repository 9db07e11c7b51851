import { InputError } from "@isthmus/core";
import { namedStrategy, STRATEGIES } from "@isthmus/federated";
import { isEmpty } from "./simulation-schema.ts";

/**
 * Replaces strategies that a file gives by name by their descriptions. The name is a text, or the key of an
 * empty entry. All other entries are left unchanged, for the schema to check.
 * @param value - value of the file, not yet checked
 * @throws InputError if there is no strategy of a name, or an entry is empty and its key is not the name of a
 * strategy
 * @throws UsageError if a strategy cannot be taken by its name alone
 */
export function nameStrategies(value: unknown): unknown {
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
