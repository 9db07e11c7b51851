import { Option } from "@commander-js/extra-typings";
import { openDataSet } from "@isthmus/engine";
import type { DataSet } from "@isthmus/graph";
import {
  MATCH_ACTIVATIONS_DEFAULTS,
  MATCH_METHODS,
  type MatchMethod,
  type MatchOptions,
} from "@isthmus/weight-matching";
import { type ScalingOptions, scalingOf } from "./open-data.ts";

/** What a verb that aligns is told of how. */
export interface MatchVerbOptions extends ScalingOptions {
  readonly method: MatchMethod;
  readonly seed: number;
  readonly restarts: number;
  readonly matchExamples: number;
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
  const { method, seed, restarts, matchExamples } = options;
  if (method === "weight") return { method, seed, restarts };
  if (data === undefined) {
    throw new TypeError(
      `Cannot align with --method ${method} as it needs examples: add --data, for example --data mnist:train`,
    );
  }
  const examples = typeof data === "string" ? await openDataSet(data, { scaling: scalingOf(options) }) : data;
  const seen = { data: examples, examples: matchExamples };
  return method === "activation" ? { method, seed, ...seen } : { method, seed, restarts, ...seen };
}
