import { InputError } from "@isthmus/core";
import { fulfils } from "../description/fulfils.ts";
import type { PairChoice, PairSelection, Variables } from "../description/study-description.ts";
import { canonicalJson } from "./canonical-json.ts";
import type { PlannedNetwork } from "./plan-networks.ts";

/** Networks that differ in one variable only. */
export interface NetworkCell {
  /** What they share. */
  readonly variables: Variables;
  /** Their values of the other variable with the networks, in the order of the group. */
  readonly members: readonly { readonly value: string; readonly network: PlannedNetwork }[];
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
      const known = Object.keys(variables).join(", ") || "none";
      throw new InputError(
        `Cannot plan the study as networks "${group}" must have a variable "${across}" in which they differ: they have ${known}`,
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

/** Two networks to measure between. */
export interface PlannedPair {
  /** What they share, and `pair`, such as `0-1`. */
  readonly variables: Variables;
  readonly a: PlannedNetwork;
  readonly b: PlannedNetwork;
}

/**
 * Chooses pairs of networks of a group.
 * @throws InputError if somewhere there are fewer than two
 */
export function selectPairs(
  networks: readonly PlannedNetwork[],
  { between, across = "seed", choose = "all", where = {} }: PairSelection,
): readonly PlannedPair[] {
  const wanted = networks.filter(({ variables }) => fulfils((name) => variables[name], where));
  if (wanted.length === 0) {
    throw new InputError(
      `Cannot plan the study as some networks "${between}" must be as "where" says: none is ${JSON.stringify(where)}`,
      { input: between },
    );
  }
  return gatherCells(between, wanted, across).flatMap(({ variables, members }) => {
    if (members.length < 2) {
      throw new InputError(
        `Cannot plan the study as there must be two networks "${between}" or more that differ in "${across}" only: there is one of ${JSON.stringify(variables)}`,
        { input: between },
      );
    }
    return choosePairs(members, choose).map(([a, b]) => ({
      variables: { ...variables, pair: `${a.value}-${b.value}` },
      a: a.network,
      b: b.network,
    }));
  });
}

function choosePairs<T>(members: readonly T[], choose: PairChoice): [T, T][] {
  return members.flatMap((a, i) =>
    members.slice(i + 1).flatMap((b, distance): [T, T][] => {
      const wanted = choose === "all" || (distance === 0 && (choose === "consecutive" || i % 2 === 0));
      return wanted ? [[a, b]] : [];
    }),
  );
}
