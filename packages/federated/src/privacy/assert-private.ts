import { UnsupportedError } from "@isthmus/core";
import type { Treatment } from "../layers/treatment.ts";
import type { AggregationRule } from "../rules/aggregation-rule.ts";
import { type AlignTargetSpelling, alignTargetOf } from "../strategy/align-target.ts";
import { privateMean } from "./private-mean-rule.ts";

/** Choices of a private round, beside clipping and noise, that may break the account of privacy. */
export interface PrivateRoundChoices {
  /** The rule that the round names; missing if it names none. */
  readonly rule?: Pick<AggregationRule, "name" | "kind" | "needs"> | undefined;
  /** Names of the steps before the rule. */
  readonly before?: readonly string[];
  /** The option `clip` of the strategy, which bounds norms a second time. */
  readonly clip?: number | undefined;
  /** Target that units of updates are permuted to; absent if updates are not aligned. */
  readonly align?: AlignTargetSpelling | undefined;
  /** Treatment of tensors by name; absent to check no treatments. */
  readonly treatments?: ReadonlyMap<string, Treatment> | undefined;
}

/**
 * Checks that one client moves the sum of a round by at most the bound on norms, whatever the others send:
 * the account of privacy rests on this.
 * @throws UnsupportedError if a choice breaks the account; the message names the reason
 */
export function assertPrivate(choices: PrivateRoundChoices): void {
  const reason = reasonAgainst(choices);
  if (reason === undefined) return;
  throw new UnsupportedError(`Cannot keep the account of privacy as ${reason}, or do without "privacy"`, {
    feature: "privacy",
  });
}

function reasonAgainst({ rule, before = [], clip, align, treatments = new Map() }: PrivateRoundChoices) {
  if (rule !== undefined && rule.name !== privateMean.name) {
    return `rule "${rule.name}" ${reasonAgainstRule(rule)}: leave out the rule, for the mean of clipped updates`;
  }
  const [step] = before;
  if (step !== undefined) {
    return `the step "${step}" before the rule puts the update of one client into several points: leave it out`;
  }
  if (clip !== undefined) {
    return `updates are clipped by "clip" of the privacy, and a second bound of ${clip} is given: leave it out`;
  }
  if (align !== undefined && alignTargetOf(align) === "each-other") {
    return 'how updates are aligned to each other depends on all of them: align them to "global"';
  }
  const averaged = [...treatments].find(([, treatment]) => treatment === "average");
  if (averaged !== undefined) {
    return `tensor "${averaged[0]}" is averaged without clipping and noise: keep it with the clients, running statistics by strategy: { share: { statistics: keep } }`;
  }
  return undefined;
}

function reasonAgainstRule({ kind, needs }: Pick<AggregationRule, "kind" | "needs">): string {
  if (kind === "coordinates")
    return "decides on each element, and no bound is known on how far one client moves that";
  if (needs.includes("gram"))
    return "chooses by distances, so that the weight of one client depends on the others";
  if (needs.includes("losses")) return "weighs clients by losses, of which the account knows nothing";
  return "weighs clients by their examples, or divides by those that came, of which the account knows nothing";
}
