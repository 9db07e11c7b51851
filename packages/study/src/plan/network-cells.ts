import { excerpt, InputError } from "@isthmus/core";
import type { Variables } from "@isthmus/forms";
import { canonicalJson } from "@isthmus/tasks";
import { fulfils } from "../description/fulfils.ts";
import type { WantedValues } from "../description/wanted-values.ts";
import type { PlannedNetwork } from "./planned-network.ts";

/** Returns the networks of a group, by its name. */
export type FindNetworks = (group: string) => readonly PlannedNetwork[];

/** Networks that differ in one variable only. */
export interface NetworkCell {
  /** What they share. */
  readonly variables: Variables;
  /** Their values of the other variable with the networks, in the order of the group. */
  readonly members: readonly { readonly value: string; readonly network: PlannedNetwork }[];
}

/**
 * Selects the networks of a group whose variables have some values.
 * @throws InputError if there are none
 */
export function selectNetworks(
  find: FindNetworks,
  group: string,
  where: WantedValues = {},
): readonly PlannedNetwork[] {
  const selected = find(group).filter(({ variables }) => fulfils((name) => variables[name], where));
  if (selected.length > 0) return selected;
  throw new InputError(
    `Cannot plan the study as some networks "${group}" must be as "where" says: none is ${excerpt(where, 200)}`,
    { input: group },
  );
}

/**
 * Gathers networks that differ in the variable `across` only.
 * @throws InputError if one has no such variable
 */
export function gatherCells(
  group: string,
  networks: readonly PlannedNetwork[],
  across: string,
): readonly NetworkCell[] {
  const cells = new Map<
    string,
    { variables: Variables; members: { value: string; network: PlannedNetwork }[] }
  >();
  for (const network of networks) {
    const { [across]: value, ...variables } = network.variables;
    if (value === undefined) {
      const names = Object.keys(variables).join(", ") || "none";
      throw new InputError(
        `Cannot plan the study as networks "${group}" must have a variable "${across}" in which they differ: they have ${names}`,
        { input: across },
      );
    }
    const key = canonicalJson(variables);
    const cell = cells.get(key) ?? { variables, members: [] };
    cell.members.push({ value: String(value), network });
    cells.set(key, cell);
  }
  return [...cells.values()];
}
