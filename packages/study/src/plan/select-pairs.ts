import { excerpt, InputError } from "@isthmus/core";
import type { Variables } from "@isthmus/forms";
import type { PairChoice, PairSelection } from "../description/pair-selection.ts";
import { type FindNetworks, gatherCells, selectNetworks } from "./network-cells.ts";
import type { PlannedNetwork } from "./planned-network.ts";

/** Two networks to measure between. */
export interface PlannedPair {
  /** What they share, and `pair`, such as `0-1`. */
  readonly variables: Variables;
  readonly a: PlannedNetwork;
  readonly b: PlannedNetwork;
}

/**
 * Chooses pairs of networks of one group, or of two.
 * @throws InputError if there are none, or in some cell of a group only one
 */
export function selectPairs(find: FindNetworks, selection: PairSelection): readonly PlannedPair[] {
  const { between, across = "seed", where } = selection;
  const select = (group: string) => selectNetworks(find, group, where);
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
