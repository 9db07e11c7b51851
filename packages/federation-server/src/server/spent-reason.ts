import { beginPrivacy, describeSpent, hasRoom, type PrivacyState } from "@isthmus/federated";
import type { Federation } from "./running-federation.ts";

/** Decision to end a federation before its last round. */
export interface StopDecision {
  /** Tag of the decision, beside the kinds of `Decision`. */
  readonly kind: "stop";
  /** Description of the spent privacy budget, for people. */
  readonly reason: string;
}

/**
 * Decides to stop if the next round would exceed the privacy budget; returns undefined if the budget has
 * room.
 */
export function spentReason({
  config,
  state,
}: Pick<Federation, "config" | "state">): StopDecision | undefined {
  const { privacy } = config.strategy;
  if (privacy === undefined || state.status !== "waiting") return undefined;
  const spent = privacyStateOf(state) ?? beginPrivacy(privacy);
  return hasRoom(privacy, spent) ? undefined : { kind: "stop", reason: describeSpent(privacy, spent) };
}

/**
 * Returns the privacy state for the next round; undefined before the first round, and if the federation is
 * not private.
 */
export function privacyStateOf({ history }: Federation["state"]): PrivacyState | undefined {
  return history.at(-1)?.privacy?.next;
}
