import { InputError } from "@isthmus/core";
import { listValues, type Repeated, unfold, type VariableValue } from "@isthmus/forms";
import type { NetworkMeasurement } from "../measurement/subjects/network.ts";
import { makerOf } from "../networks/makers.ts";
import { fulfils } from "../plan/select-networks.ts";
import type { MergeMeasurement } from "./merge-measurement.ts";
import type { PairChoice, PairSelection } from "./pair-selection.ts";
import type { MeasurementDescription, RepeatedNetwork, StudyDescription } from "./study-description.ts";
import type { WantedValues } from "./wanted-values.ts";

/**
 * Largest number of networks and tasks of one study. Planning so many takes about ten seconds; at a second
 * each they run for half a day.
 */
const MAX_TASKS = 50_000;

/**
 * Checks, before anything is planned, how many networks and tasks a study has: a typing error can ask for
 * millions of pairs.
 * @throws InputError if there are more networks and tasks than a study may have; it names the entry that
 *   has the most
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
 * variables. A task that several measurements share is counted for each of them. Contradictions in the
 * description are refused by the planning, not here.
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

/** Values of each variable of a group of networks, by name of the variable. */
type Ranges = ReadonlyMap<string, readonly VariableValue[]>;

/**
 * Lists the values of the variables of a group, before the group is planned: the variables of its entry, the
 * variables of the networks that each network is made from, and the variable that tells networks of one entry
 * apart.
 */
function rangesOf(name: string, repeated: RepeatedNetwork, groups: ReadonlyMap<string, Ranges>): Ranges {
  const named = Object.entries(repeated.for ?? {}).map(([variable, range]) => {
    return [variable, listValues({ name: `networks.${name}.for.${variable}`, of: "study" }, range)] as const;
  });
  const maker = makerOf(repeated);
  const keys = new Map<string, unknown>(Object.entries(repeated));
  const isFromEach = maker.from === "each";
  const starts = isFromEach ? groups.get(String(keys.get(maker.key))) : undefined;
  const where = keys.get("where") as WantedValues | undefined;
  const made = maker.made?.(repeated);
  return new Map([...restrict(starts, where), ...named, ...(made === undefined ? [] : [made])]);
}

/**
 * Narrows the values of variables to the ones that `where` asks for; a variable may be left without values.
 */
function restrict(ranges: Ranges | undefined, where: WantedValues | undefined): Ranges {
  const narrowed = new Map<string, readonly VariableValue[]>();
  for (const [variable, values] of ranges ?? []) {
    const choice = Object.hasOwn(where ?? {}, variable) ? where?.[variable] : undefined;
    const fits = (value: VariableValue) =>
      choice === undefined || fulfils(() => value, { [variable]: choice });
    narrowed.set(variable, values.filter(fits));
  }
  return narrowed;
}

function productOf(ranges: Ranges): number {
  return [...ranges.values()].reduce((product, values) => product * values.length, 1);
}

/**
 * Counts the tasks of a measurement: one for each network or pair, and another for each pair that is aligned;
 * for a merge see {@link countMerges}.
 */
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
  return unfoldOnly<PairSelection>(PAIR_KEYS).reduce((sum, { entry }) => {
    return sum + countPairs(entry, groups) * ((entry.align ?? "none") === "none" ? 1 : 2);
  }, 0);
}

/** Keys of a measurement that decide the number of its tasks. */
const PAIR_KEYS = ["for", "between", "across", "where", "choose", "align"];
const EACH_KEYS = ["for", "of", "where"];
const MERGE_KEYS = ["for", "of", "across", "where", "count", "many", "references"];

/** Counts the tasks of a merge: one for each mean of networks, and another if the networks are matched. */
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

function pairsOf(members: number, choose: PairChoice): number {
  if (choose === "consecutive") return Math.max(members - 1, 0);
  return choose === "disjoint" ? Math.floor(members / 2) : (members * (members - 1)) / 2;
}
