import { UsageError } from "@isthmus/core";
import { type AggregateRequest, aggregateRound } from "./aggregate-round.ts";
import { type CheckRequest, checkUpdate } from "./check-update.ts";
import { type EvaluateRequest, evaluateNetwork } from "./evaluate-network.ts";

/** Work that is done beside the loop that answers requests. */
export type Work =
  | { readonly kind: "check"; readonly params: CheckRequest }
  | { readonly kind: "aggregate"; readonly params: AggregateRequest }
  | { readonly kind: "evaluate"; readonly params: EvaluateRequest };

/** Does a piece of work, in whatever thread. */
export async function doWork(
  { kind, params }: { readonly kind: string; readonly params: object },
  signal: AbortSignal,
): Promise<object> {
  switch (kind) {
    case "check":
      return checkUpdate(params as CheckRequest);
    case "aggregate":
      return aggregateRound(params as AggregateRequest, signal);
    case "evaluate":
      return evaluateNetwork(params as EvaluateRequest, signal);
    default:
      throw new UsageError(`Cannot do work of kind "${kind}": there is none`);
  }
}
