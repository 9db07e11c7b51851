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
  /** Name of the examples, for the commands. @defaultValue a placeholder */
  readonly data?: string | undefined;
  /** File to which the recipe is written, for the commands. @defaultValue "advice.yaml" */
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
  const advice = { rule: rule.name, method, parameters, align, networks, signs };
  const base = needsBase ? guessed : null;
  return {
    ...advice,
    base,
    reason: `${rule.reason} (${describeSigns(rule, signs)})`,
    next: listNext(comparison, advice, options),
  };
}

function describeSigns({ signs: names }: AdviceRule, signs: AdviceSigns): string {
  const values = { ...signs, slope: signs.gradients?.slope ?? null };
  const words = names.flatMap((name) => {
    const value = values[name];
    if (value === null) return [];
    return [`${SIGN_NAMES[name]} ${typeof value === "number" ? formatSigned(value) : value}`];
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
  slope: "slope of the loss along the mean step",
};

const formatSigned = (value: number) => value.toFixed(2).replace(/^-(?=0\.00$)/, "");

/** Lists what would tell more: a base, examples, or the result itself. */
function listNext(
  { networks: traits, base: named, taskVectors }: NetworkComparison,
  { method, align, networks, signs }: Pick<MergeAdvice, "method" | "align" | "networks" | "signs">,
  { graph = "GRAPH.onnx", data = "DATA", recipe = "advice.yaml" }: AdviseMergeOptions,
): NextMeasurement[] {
  if (method === null) return [];
  const paths = networks.map((position) => at(traits, position, "network").source);
  const base = taskVectors === null ? undefined : at(traits, taskVectors.base, "network").source;
  const next: NextMeasurement[] = [];
  if (named === null && !align) {
    next.push({
      purpose: "what each learned since the base, and at what angle",
      command: quoteCommand(["isthmus", "compare", ...paths, "--base", base ?? "BASE"]),
    });
  } else if (base !== undefined && signs.gradients === null && !align) {
    next.push({
      purpose:
        "whether the mean step is too long or too short, by gradients on examples of each network's task",
      command: quoteCommand([
        "isthmus",
        "compare",
        ...paths,
        "--base",
        base,
        "--graph",
        graph,
        "--data",
        data,
      ]),
    });
  }
  next.push({
    purpose: align
      ? "the loss half-way once units are in one order"
      : "the loss of the networks and of all points between the first two",
    command: quoteCommand([
      "isthmus",
      "barrier",
      ...paths.slice(0, 2),
      "--graph",
      graph,
      "--data",
      data,
      ...(align ? ["--align"] : []),
    ]),
  });
  next.push({
    purpose: "the merge itself, and its loss beside that of each network",
    command: quoteCommand(["isthmus", "merge", recipe, "-o", "merged.safetensors"]),
  });
  return next;
}
