import { Option } from "@commander-js/extra-typings";
import { openDataSet } from "@isthmus/engine";
import type { DataSet } from "@isthmus/graph";
import {
  MATCH_ACTIVATIONS_DEFAULTS,
  MATCH_METHODS,
  MATCH_SEARCHES,
  type MatchMethod,
  type MatchOptions,
  type MatchSearch,
} from "@isthmus/weight-matching";
import { type ScalingOptions, scalingOf } from "./open-data.ts";
import { parseBytes, parseNames } from "./parse-values.ts";

/** What a verb that aligns is told of how. */
export interface MatchVerbOptions extends ScalingOptions {
  readonly method: MatchMethod;
  readonly seed: number;
  readonly restarts: number;
  readonly matchExamples: number;
  readonly search?: MatchSearch | undefined;
  readonly memory?: number | undefined;
  readonly only?: readonly string[] | undefined;
  readonly skip?: readonly string[] | undefined;
}

/** What {@link methodOption} says when nothing is chosen. */
const METHOD_TEXT =
  "align by weights, by activations, or by gradients of the loss half-way; the latter two need data";

/** The option `--method` of every verb that aligns. */
export function methodOption(): Option<"--method <name>", undefined, "weight", MatchMethod, true> {
  return new Option("--method <name>", METHOD_TEXT)
    .choices(MATCH_METHODS)
    .default("weight" as const)
    .makeOptionMandatory() as Option<"--method <name>", undefined, "weight", MatchMethod, true>;
}

/** The option `--search` of every verb that aligns; without it, `best`. */
export function searchOption(): Option<"--search <how>", undefined, undefined, MatchSearch> {
  return new Option(
    "--search <how>",
    "how --method weight searches: one symmetry after the other, all at once, or both (best, the default)",
  ).choices(MATCH_SEARCHES) as Option<"--search <how>", undefined, undefined, MatchSearch>;
}

/** The option `--memory` of every verb that aligns. */
export function memoryOption(): Option<"--memory <size>", undefined, undefined, number> {
  return new Option(
    "--memory <size>",
    "what --method weight may hold, such as 4GB: weights are read whenever they are needed",
  ).argParser(parseBytes) as Option<"--memory <size>", undefined, undefined, number>;
}

/** The option `--only` of every verb that aligns. */
export function onlyOption(): Option<"--only <names>", undefined, undefined, readonly string[]> {
  return new Option(
    "--only <names>",
    "match only these symmetries by --method weight, as `isthmus symmetry` names them; * and ? are wildcards",
  ).argParser(parseNames) as Option<"--only <names>", undefined, undefined, readonly string[]>;
}

/** The option `--skip` of every verb that aligns. */
export function skipOption(): Option<"--skip <names>", undefined, undefined, readonly string[]> {
  return new Option("--skip <names>", "leave these symmetries as they are; see --only").argParser(
    parseNames,
  ) as Option<"--skip <names>", undefined, undefined, readonly string[]>;
}

/** Examples that `--match-examples` takes when it is not given. */
export const MATCH_EXAMPLES: number = MATCH_ACTIVATIONS_DEFAULTS.examples;

/**
 * What to tell a method, with its data opened.
 * @param data - name of the examples; undefined where none was given
 * @throws TypeError if the method needs data and there are none
 */
export async function openMatching(
  options: MatchVerbOptions,
  data: string | DataSet | undefined,
): Promise<MatchOptions> {
  const { method, seed, restarts, matchExamples, search, memory, only, skip } = options;
  if (method === "weight") return { method, seed, restarts, ...given({ search, memory, only, skip }) };
  assertWeightOnly(method, { search, memory, only, skip });
  if (data === undefined) {
    throw new TypeError(
      `Cannot align with --method ${method} as it needs examples: add --data, for example --data mnist:train`,
    );
  }
  const examples = typeof data === "string" ? await openDataSet(data, { scaling: scalingOf(options) }) : data;
  const seen = { data: examples, examples: matchExamples };
  return method === "activation" ? { method, seed, ...seen } : { method, seed, restarts, ...seen };
}

/** What was given; absent, not undefined, where it was not. */
function given<T extends object>(options: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}

/**
 * Checks that options of weight matching are not given to another method.
 * @throws TypeError that names the first
 */
function assertWeightOnly(method: MatchMethod, options: object): void {
  const [name] = Object.keys(given(options));
  if (name === undefined) return;
  throw new TypeError(
    `Cannot align with --method ${method} and --${name} as only --method weight takes it: leave one out`,
  );
}
