import { excerpt, InputError } from "@isthmus/core";
import type { Variables } from "@isthmus/forms";
import type { WantedValues } from "../description/wanted-values.ts";
import { type FindNetworks, selectNetworks } from "./network-cells.ts";
import type { PlannedNetwork } from "./planned-network.ts";
import { agree } from "./select-pairs.ts";

/** The networks that the networks of a group are made from, each of one. */
export interface StartChoice {
  /** Name of their group. */
  readonly from: string;
  readonly where: WantedValues | undefined;
  /** Values that they agree with, where they have the same variables. */
  readonly variables: Variables;
}

/**
 * Selects the networks that networks of a group are made from.
 * @throws InputError if there are none
 */
export function selectStarts(
  group: string,
  find: FindNetworks,
  { from, where, variables }: StartChoice,
): readonly PlannedNetwork[] {
  const starts = selectNetworks(find, from, where).filter((start) => agree(variables, start.variables));
  if (starts.length > 0) return starts;
  throw new InputError(
    `Cannot plan "networks.${group}" of the study as a network "${from}" must agree with it: none has ${excerpt(variables, 200)}`,
    { input: group },
  );
}
