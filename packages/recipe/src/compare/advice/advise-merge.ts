import { at, InvariantError } from "@isthmus/core";
import { quoteCommand } from "@isthmus/findings";
import { MERGE_METHODS } from "@isthmus/merging";
import type { NetworkComparison } from "../comparison.ts";
import { judgeMerge, type MergeVerdict } from "../judge-merge.ts";
import { ADVICE_RULES, type AdviceRule } from "./advice-rules.ts";
import { type AdviceSigns, type GradientSigns, readSigns } from "./advice-signs.ts";
import type { MergeAdvice, NextMeasurement } from "./merge-advice.ts";

/** Options of {@link adviseMerge}. */
export interface AdviseMergeOptions {
  /** Judgement of the comparison. @defaultValue it is judged */
  readonly judged?: Pick<MergeVerdict, "pairs"> | undefined;
  /** Signs of gradients on examples. @defaultValue null: no gradients were measured */
  readonly gradients?: GradientSigns | null;
  /** File of the architecture, for the commands. @defaultValue a placeholder, if a command needs it */
  readonly graph?: string | undefined;
  /** Names of the examples, for the commands. @defaultValue a placeholder */
  readonly data?: readonly string[] | undefined;
  /**
   * File to which the recipe is written, for the commands. @defaultValue none is written, and the command
   * of the merge writes one first
   */
  readonly recipe?: string | undefined;
}

/**
 * Advises how to merge compared networks: the method, its settings, why, and what to measure to know
 * better. The rules stand in `ADVICE_RULES`; how often they are right is measured in docs/verdicts.md.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { openCheckpoint } from "@isthmus/core";
 * import { adviseMerge, compareNetworks } from "@isthmus/recipe";
 *
 * const a = await openCheckpoint("examples/mnist-mlp/s0.safetensors");
 * const b = await openCheckpoint("examples/mnist-mlp/s1.safetensors");
 * const { method, align } = adviseMerge(await compareNetworks([a, b]));
 * assert.deepEqual([method, align], ["linear", true]); // trained apart: align them first
 * await Promise.all([a.close(), b.close()]);
 * ```
 */
export function adviseMerge(comparison: NetworkComparison, options: AdviseMergeOptions = {}): MergeAdvice {
  const judged = options.judged ?? judgeMerge(comparison);
  const signs = readSigns(comparison, judged, options.gradients ?? null);
  const rule = ADVICE_RULES.find(({ holds }) => holds(signs));
  if (rule === undefined) throw new InvariantError("the last rule of the advice holds always");
  const { method, parameters, align } = rule.way;
  const guessed = comparison.taskVectors?.base ?? null;
  const needsBase = method !== null && MERGE_METHODS.get(method)?.networks.base === "required";
  const networks = [...comparison.networks.keys()].filter((position) => position !== guessed);
  const decided = describeSigns(rule, signs);
  const isGuess = needsBase && comparison.taskVectors?.guessed === true;
  const because = isGuess
    ? `${rule.reason}; the base is a guess, and --base names the right one`
    : rule.reason;
  const advice = { rule: rule.name, method, parameters, align, networks, signs };
  const base = needsBase ? guessed : null;
  return {
    ...advice,
    base,
    reason: decided === "" ? because : `${because} (${decided})`,
    next: listNext(comparison, advice, options),
  };
}

function describeSigns({ signs: names }: AdviceRule, signs: AdviceSigns): string {
  const values = { ...signs, slope: signs.gradients?.slope ?? null };
  const words = names.flatMap((name) => {
    const value = values[name];
    if (value === null) return [];
    if (typeof value === "string") return [`${SIGN_NAMES[name]} ${value}`];
    return [`${SIGN_NAMES[name]} ${name === "nonFinite" ? value : formatSigned(value)}`];
  });
  return words.join(", ");
}

const SIGN_NAMES: Readonly<Record<AdviceRule["signs"][number], string>> = {
  verdict: "verdict",
  kinship: "least kinship",
  distance: "largest distance",
  cosine: "mean cosine of steps",
  conflict: "sign conflicts",
  length: "mean length of steps",
  nonFinite: "networks with such numbers",
  slope: "slope of the loss along the mean step",
};

const formatSigned = (value: number) => value.toFixed(2).replace(/^-(?=0\.00$)/, "");

/** Paths of the networks and of their base, as commands name them. */
interface NamedPaths {
  readonly paths: readonly string[];
  readonly base: string | undefined;
  /** Whether all are folders of models, whose config.json names the architecture. */
  readonly areModels: boolean;
}

function namePaths(
  { networks: traits, taskVectors }: NetworkComparison,
  networks: readonly number[],
): NamedPaths {
  const sourceOf = (position: number) => at(traits, position, "network").source.replace(/^-/, "./-");
  return {
    paths: networks.map(sourceOf),
    base: taskVectors === null ? undefined : sourceOf(taskVectors.base),
    areModels: traits.every(({ facts, adapter }) => facts !== null && !adapter),
  };
}

/** Lists what would tell more: a base, examples, or the result itself. */
function listNext(
  comparison: NetworkComparison,
  advice: Pick<MergeAdvice, "method" | "align" | "networks" | "signs">,
  options: AdviseMergeOptions,
): NextMeasurement[] {
  if (advice.method === null) return [];
  const named = namePaths(comparison, advice.networks);
  const { graph, data = ["DATA"], recipe } = options;
  const architecture = named.areModels && graph === undefined ? [] : ["--graph", graph ?? "GRAPH.onnx"];
  const examples = [...architecture, ...data.flatMap((name) => ["--data", name])];
  const { gradients, adapters } = advice.signs;
  const merged = named.areModels || adapters === "all" ? "merged" : "merged.safetensors";
  const merge = quoteCommand(["isthmus", "merge", recipe ?? "advice.yaml", "-o", merged]);
  const graphOption = graph === undefined ? [] : ["--graph", graph];
  const measured = gradients === null ? graphOption : examples;
  const base = named.base === undefined ? [] : ["--base", named.base];
  const write = ["isthmus", "compare", ...named.paths, ...base, ...measured, "--recipe", "advice.yaml"];
  const result: NextMeasurement = {
    purpose: "the merge itself",
    command: recipe === undefined ? `${quoteCommand(write)} && ${merge}` : merge,
  };
  if (adapters === "all") return [result];
  const barrier = ["isthmus", "barrier", ...named.paths.slice(0, 2), ...architecture];
  return [
    ...compareAgain(comparison, advice, { ...named, examples }),
    {
      purpose: advice.align
        ? "the loss half-way once units are in one order"
        : "the loss of the networks and of all points between the first two",
      command: quoteCommand([...barrier, "--data", data[0] ?? "DATA", ...(advice.align ? ["--align"] : [])]),
    },
    result,
  ];
}

/** Names the comparison that tells more: with a base, or with examples. */
function compareAgain(
  comparison: NetworkComparison,
  { align, signs }: Pick<MergeAdvice, "align" | "signs">,
  { paths, base, examples }: NamedPaths & { readonly examples: readonly string[] },
): NextMeasurement[] {
  if (align) return [];
  const compare = ["isthmus", "compare", ...paths, "--base", base ?? "BASE"];
  if (comparison.base === null)
    return [
      { purpose: "what each learned since the base, and at what angle", command: quoteCommand(compare) },
    ];
  if (signs.gradients !== null) return [];
  return [
    {
      purpose:
        "whether the mean step is too long or too short, by gradients on examples of each network's task",
      command: quoteCommand([...compare, ...examples]),
    },
  ];
}
