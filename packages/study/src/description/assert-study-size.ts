import { InputError } from "@isthmus/core";
import { COLLECT_RATES, type CollectMethod } from "@isthmus/ensemble";
import { listValues, type Repeated, unfold, type VariableValue } from "@isthmus/forms";
import { ITERATIVE_DEFAULTS } from "@isthmus/sparsity";
import type { CollectedStudyNetwork } from "./collected-network.ts";
import { fulfils } from "./fulfils.ts";
import type { MergeMeasurement } from "./merge-measurement.ts";
import type { NetworkMeasurement } from "./network-measurement.ts";
import type { PairChoice, PairSelection } from "./pair-selection.ts";
import type { MeasurementDescription, RepeatedNetwork, StudyDescription } from "./study-description.ts";
import type { TunedNetwork } from "./tuned-network.ts";

/**
 * Most networks and tasks of one study. To plan so many takes some ten seconds; at a second each they run for
 * half a day.
 */
const MAX_TASKS = 50_000;

/** Values of each variable of a group of networks, by name of the variable. */
type Ranges = ReadonlyMap<string, readonly VariableValue[]>;

/**
 * Checks how much a study would have to plan, before any of it is made: a typing error can ask for
 * millions of pairs.
 * @throws InputError if there are more networks and tasks than a study may have; it names the entry that has
 *   the most
 */
export function assertStudySize(study: StudyDescription): void {
  let sum = 0;
  let [largest, most] = ["", 0];
  for (const [name, count] of countStudy(study)) {
    sum += count;
    if (count > most) [largest, most] = [name, count];
    if (sum > MAX_TASKS) throw tooLarge(sum, largest, most);
  }
}

function tooLarge(sum: number, largest: string, most: number): InputError {
  return new InputError(
    `Cannot plan the study as it may have at most ${MAX_TASKS} networks and tasks: it would have ${sum}, ${most} of them of "${largest}"; ` +
      "give its variables fewer values, or measure fewer pairs (choose: consecutive)",
    { input: largest },
  );
}

/**
 * Counts the networks of each group and the tasks of each measurement, from the numbers of values of their
 * variables. Tasks that several measurements share count for each; what contradicts itself is refused where
 * it is planned, not here.
 */
export function* countStudy({
  networks,
  measurements,
}: Pick<StudyDescription, "networks" | "measurements">): Generator<readonly [string, number]> {
  const groups = new Map<string, Ranges>();
  for (const [name, repeated] of Object.entries(networks)) {
    const ranges = rangesOf(name, repeated, groups);
    groups.set(name, ranges);
    yield [`networks.${name}`, productOf(ranges)];
  }
  for (const [name, repeated] of Object.entries(measurements)) {
    yield [`measurements.${name}`, countMeasurements(name, repeated, groups)];
  }
}

/**
 * Lists the values of the variables of a group; the epochs of its snapshots are one of them, and a network
 * that is made from another has the variables of that one.
 */
function rangesOf(name: string, repeated: RepeatedNetwork, groups: ReadonlyMap<string, Ranges>): Ranges {
  const ranges = new Map(
    Object.entries(repeated.for ?? {}).map(([variable, range]) => {
      return [
        variable,
        listValues({ name: `networks.${name}.for.${variable}`, of: "study" }, range),
      ] as const;
    }),
  );
  const snapshots = "snapshots" in repeated ? repeated.snapshots : undefined;
  if (Array.isArray(snapshots) && !ranges.has("epochs")) ranges.set("epochs", snapshots as VariableValue[]);
  if ("tickets" in repeated && !ranges.has("round")) ranges.set("round", roundsOf(repeated.rounds));
  const from = startGroupOf(repeated);
  if (from === undefined) return ranges;
  const { where } = repeated as Pick<TunedNetwork, "where">;
  const members = "collect" in repeated ? listMembers(repeated) : undefined;
  return new Map([
    ...restrict(groups.get(from), where),
    ...ranges,
    ...(members === undefined ? [] : [["member", members] as const]),
  ]);
}

/** Networks of a collection whose number stands in a variable. */
const USUAL_MEMBERS = 10;

/**
 * Lists the numbers of the networks of a collection: exactly where the description says them, about where
 * they follow from steps; undefined for the mean of them.
 */
function listMembers({
  method,
  keep,
  members,
  epochs,
  cycle,
}: Repeated<CollectedStudyNetwork>): readonly VariableValue[] | undefined {
  if (keep === "mean") return undefined;
  const usual = COLLECT_RATES[method as CollectMethod];
  const [all, every] = [epochs ?? usual?.epochs, cycle ?? usual?.cycle];
  const isCounted = usual !== undefined && typeof all === "number" && typeof every === "number";
  const count = isCounted ? Math.max(1, Math.floor(all / every)) : Number(members ?? USUAL_MEMBERS);
  const first = method === "spro" ? 0 : 1;
  return Array.from(
    { length: (Number.isFinite(count) ? count : USUAL_MEMBERS) + 1 - first },
    (_, i) => first + i,
  );
}

/** Lists the numbers of the rounds of a lottery ticket, 0 for the network before. */
function roundsOf(rounds: unknown): readonly number[] {
  return Array.from(
    { length: 1 + (typeof rounds === "number" ? rounds : ITERATIVE_DEFAULTS.rounds) },
    (_, i) => i,
  );
}

/** Returns the name of the group that each network of a group is made from one network of. */
function startGroupOf(repeated: RepeatedNetwork): string | undefined {
  if ("tune" in repeated) return repeated.tune as string;
  if ("prune" in repeated) return repeated.prune as string;
  if ("quantize" in repeated) return repeated.quantize as string;
  if ("collect" in repeated) return repeated.collect as string;
  return "scatter" in repeated ? (repeated.scatter as string) : undefined;
}

function productOf(ranges: Ranges): number {
  return [...ranges.values()].reduce((product, values) => product * values.length, 1);
}

/** Counts tasks of a measurement: one for a network or a pair, another where it is aligned; or of merges. */
function countMeasurements(
  name: string,
  repeated: Repeated<MeasurementDescription>,
  groups: ReadonlyMap<string, Ranges>,
): number {
  // Only what decides the number is unfolded, and only for as many combinations as one entry may have.
  const unfoldOnly = <T>(keys: readonly string[]) => {
    const decisive = Object.entries(repeated).filter(
      ([key, value]) => keys.includes(key) && value !== undefined,
    );
    return unfold<T>(
      { name: `measurements.${name}`, of: "study" },
      Object.fromEntries(decisive) as Repeated<T>,
    );
  };
  if ("net" in repeated) return unfoldOnly<object>(["for"]).length;
  if ("of" in repeated && !("many" in repeated)) {
    return unfoldOnly<NetworkMeasurement>(EACH_KEYS).reduce((sum, { entry }) => {
      return sum + productOf(restrict(groups.get(entry.of), entry.where));
    }, 0);
  }
  if ("of" in repeated) {
    const merges = unfoldOnly<MergeMeasurement>(MERGE_KEYS);
    return merges.reduce((sum, { entry }) => sum + countMerges(entry, groups), 0);
  }
  if ("net" in repeated) return unfoldOnly<object>(["for"]).length;
  return unfoldOnly<PairSelection>(PAIR_KEYS).reduce((sum, { entry }) => {
    return sum + countPairs(entry, groups) * ((entry.align ?? "none") === "none" ? 1 : 2);
  }, 0);
}

/** Keys of a measurement that decide the number of its tasks. */
const PAIR_KEYS = ["for", "between", "across", "where", "choose", "align"];
const EACH_KEYS = ["for", "of", "where"];
const MERGE_KEYS = ["for", "of", "across", "where", "count", "many", "references"];

/** Tasks of merges: one for each mean of networks, and another where they are matched. */
function countMerges(entry: MergeMeasurement, groups: ReadonlyMap<string, Ranges>): number {
  const { of, across = "seed", where, many } = entry;
  const ranges = restrict(groups.get(of), where);
  const members = ranges.get(across)?.length ?? 1;
  // More than there are is refused where it is planned.
  const count = Math.min(entry.count ?? members, members);
  const cells = productOf(ranges) / Math.max(members, 1);
  if (many === "single") return cells * count;
  if (many === "ensemble" || many === "naive") return cells;
  return cells * 2 * (many === "reference" ? Math.min(entry.references ?? count, count) : 1);
}

function countPairs(selection: PairSelection, groups: ReadonlyMap<string, Ranges>): number {
  const { between, across = "seed", choose = "all", where } = selection;
  // The entries of a study that was read are checked after this, once they are unfolded.
  const [first = "", second] = Array.isArray(between) ? between : [between as string];
  const a = restrict(groups.get(first), where);
  const members = a.get(across)?.length ?? 1;
  if (second === undefined) return (productOf(a) / Math.max(members, 1)) * pairsOf(members, choose);
  const b = restrict(groups.get(second), where);
  const shared = [...a.keys()].filter((variable) => variable !== across && b.has(variable));
  const agreeing = shared.map((variable) => {
    const [of, others] = [a.get(variable) ?? [], new Set(b.get(variable))];
    return of.filter((value) => others.has(value)).length / Math.max(of.length * others.size, 1);
  });
  return Math.round(agreeing.reduce((product, share) => product * share, productOf(a) * productOf(b)));
}

/** Narrows the values of variables to the ones that `where` asks for, which may leave none of a variable. */
function restrict(ranges: Ranges | undefined, where: PairSelection["where"]): Ranges {
  const narrowed = new Map<string, readonly VariableValue[]>();
  for (const [variable, values] of ranges ?? []) {
    const choice = Object.hasOwn(where ?? {}, variable) ? where?.[variable] : undefined;
    const fits = (value: VariableValue) =>
      choice === undefined || fulfils(() => value, { [variable]: choice });
    narrowed.set(variable, values.filter(fits));
  }
  return narrowed;
}

function pairsOf(members: number, choose: PairChoice): number {
  if (choose === "consecutive") return Math.max(members - 1, 0);
  return choose === "disjoint" ? Math.floor(members / 2) : (members * (members - 1)) / 2;
}
