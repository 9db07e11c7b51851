import { excerpt, InputError } from "@isthmus/core";
import { canonicalJson } from "@isthmus/tasks";
import { fulfils } from "../description/fulfils.ts";
import type { PairChoice, PairSelection, Variables } from "../description/study-description.ts";
import type { PlannedNetwork } from "./planned-network.ts";

/** Networks that differ in one variable only. */
interface NetworkCell {
  /** What they share. */
  readonly variables: Variables;
  /** Their values of the other variable with the networks, in the order of the group. */
  readonly members: readonly { readonly value: string; readonly network: PlannedNetwork }[];
}

/**
 * Gathers networks that differ in the variable `across` only.
 * @throws InputError if one has no such variable
 */
function gatherCells(
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

/** Two networks to measure between. */
export interface PlannedPair {
  /** What they share, and `pair`, such as `0-1`. */
  readonly variables: Variables;
  readonly a: PlannedNetwork;
  readonly b: PlannedNetwork;
}

/** Returns the networks of a group, by its name. */
export type FindNetworks = (group: string) => readonly PlannedNetwork[];

/**
 * Chooses pairs of networks of one group, or of two.
 * @throws InputError if there are none, or in some cell of a group only one
 */
export function selectPairs(find: FindNetworks, selection: PairSelection): readonly PlannedPair[] {
  const { between, across = "seed", where = {} } = selection;
  const select = (group: string): readonly PlannedNetwork[] => {
    const selected = find(group).filter(({ variables }) => fulfils((name) => variables[name], where));
    if (selected.length > 0) return selected;
    throw new InputError(
      `Cannot plan the study as some networks "${group}" must be as "where" says: none is ${excerpt(where, 200)}`,
      { input: group },
    );
  };
  if (typeof between === "string") return pairWithin(select(between), { ...selection, between });
  const [a, b] = between;
  const pairs = select(a).flatMap((first) => pairWith(first, select(b), { across, group: a }));
  if (pairs.length > 0) return pairs;
  throw new InputError(
    `Cannot plan the study as some networks "${a}" and "${b}" must agree in all variables that both have, "${across}" aside: none do`,
    { input: b },
  );
}

function pairWithin(
  networks: readonly PlannedNetwork[],
  { between, across = "seed", choose = "all" }: PairSelection & { readonly between: string },
): readonly PlannedPair[] {
  return gatherCells(between, networks, across).flatMap(({ variables, members }) => {
    if (members.length < 2) {
      throw new InputError(
        `Cannot plan the study as there must be two networks "${between}" or more that differ in "${across}" only: there is one of ${excerpt(variables, 200)}`,
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

/** Pairs a network with the networks of another group that agree with it. */
function pairWith(
  a: PlannedNetwork,
  others: readonly PlannedNetwork[],
  { across, group }: { readonly across: string; readonly group: string },
): readonly PlannedPair[] {
  const { [across]: first = group, ...shared } = a.variables;
  return others.flatMap((b) => {
    const { [across]: second = "", ...variables } = b.variables;
    if (!agree(shared, variables)) return [];
    return [{ variables: { ...shared, ...variables, pair: `${first}-${second}` }, a, b }];
  });
}

/** Tells whether variables have equal values where both have them. */
export function agree(a: Variables, b: Variables): boolean {
  return Object.entries(a).every(([name, value]) => !Object.hasOwn(b, name) || b[name] === value);
}

function choosePairs<T>(members: readonly T[], choose: PairChoice): [T, T][] {
  return members.flatMap((a, i) =>
    members.slice(i + 1).flatMap((b, distance): [T, T][] => {
      const isChosen = choose === "all" || (distance === 0 && (choose === "consecutive" || i % 2 === 0));
      return isChosen ? [[a, b]] : [];
    }),
  );
}
