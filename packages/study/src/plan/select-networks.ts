import { excerpt, InputError } from "@isthmus/core";
import type { Variables, VariableValue } from "@isthmus/forms";
import { canonicalJson } from "@isthmus/tasks";
import type { PairChoice, PairSelection } from "../description/pair-selection.ts";
import type { WantedValues } from "../description/wanted-values.ts";
import type { PlannedNetwork } from "./planned-network.ts";

/** The networks of the groups of a study that are planned already, by the names of the groups. */
export type PlannedGroups = ReadonlyMap<string, readonly PlannedNetwork[]>;

/**
 * Returns the networks of a group.
 * @throws InputError if there is no group of that name
 */
export function networksOf(groups: PlannedGroups, group: string): readonly PlannedNetwork[] {
  const networks = groups.get(group);
  if (networks !== undefined) return networks;
  throw new InputError(
    `Cannot plan the study as there must be networks "${group}": there are ${[...groups.keys()].join(", ") || "none"}`,
    { input: group },
  );
}

/** Networks that differ in one variable only. */
export interface NetworkCell {
  /** Variables that all of them share, with their values. */
  readonly variables: Variables;
  /** Networks with their values of the variable in which they differ, in the order of the group. */
  readonly members: readonly { readonly value: string; readonly network: PlannedNetwork }[];
}

/**
 * Selects the networks of a group whose variables have some values.
 * @throws InputError if no network has them
 */
export function selectNetworks(
  groups: PlannedGroups,
  group: string,
  where: WantedValues = {},
): readonly PlannedNetwork[] {
  const selected = networksOf(groups, group).filter(({ variables }) =>
    fulfils((name) => variables[name], where),
  );
  if (selected.length > 0) return selected;
  throw new InputError(
    `Cannot plan the study as some networks "${group}" must be as "where" says: none is ${excerpt(where, 200)}`,
    { input: group },
  );
}

/**
 * Gathers networks that differ in the variable `across` only.
 * @throws InputError if a network has no such variable
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

/** Selection of the networks that the networks of a group are made from, each from one of them. */
export interface StartChoice {
  /** Name of their group. */
  readonly from: string;
  /** Values that their variables must have; undefined if all are selected. */
  readonly where: WantedValues | undefined;
  /** Values that they must agree with, as far as they have the same variables. */
  readonly variables: Variables;
}

/**
 * Selects the networks that networks of a group are made from.
 * @throws InputError if there is no such network
 */
export function selectStarts(
  group: string,
  groups: PlannedGroups,
  { from, where, variables }: StartChoice,
): readonly PlannedNetwork[] {
  const starts = selectNetworks(groups, from, where).filter((start) => agree(variables, start.variables));
  if (starts.length > 0) return starts;
  throw new InputError(
    `Cannot plan "networks.${group}" of the study as a network "${from}" must agree with it: none has ${excerpt(variables, 200)}`,
    { input: group },
  );
}

/** Two networks to measure between. */
export interface PlannedPair {
  /** Variables that both share, and `pair`, such as `0-1`. */
  readonly variables: Variables;
  /** First network. */
  readonly a: PlannedNetwork;
  /** Second network. */
  readonly b: PlannedNetwork;
}

/**
 * Chooses pairs of networks of one group, or of two.
 * @throws InputError if there are no pairs, or only one network in some cell of a group
 */
export function selectPairs(groups: PlannedGroups, selection: PairSelection): readonly PlannedPair[] {
  const { between, across = "seed", where } = selection;
  const select = (group: string) => selectNetworks(groups, group, where);
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

/** Checks whether every variable has the value that is asked for, or one of several. */
export function fulfils(variable: (name: string) => VariableValue | undefined, where: WantedValues): boolean {
  return Object.entries(where).every(([name, wanted]) => {
    const value = variable(name);
    return value !== undefined && [wanted].flat().includes(value);
  });
}

/** Checks whether two sets of variables have equal values for all variables that are in both. */
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
