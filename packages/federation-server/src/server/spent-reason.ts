import { beginPrivacy, describeSpent, hasRoom, type PrivacyState } from "@isthmus/federated";
import type { Federation } from "./running-federation.ts";

/** The end of a federation before its last round. */
export interface StopDecision {
  readonly kind: "stop";
  readonly reason: string;
}

/** Decides to stop where the next round would exceed the privacy budget; undefined where it has room. */
export function spentReason({
  config,
  state,
}: Pick<Federation, "config" | "state">): StopDecision | undefined {
  const { privacy } = config.strategy;
  if (privacy === undefined || state.status !== "waiting") return undefined;
  const spent = privacyStateOf(state) ?? beginPrivacy(privacy);
  return hasRoom(privacy, spent) ? undefined : { kind: "stop", reason: describeSpent(privacy, spent) };
}

/** Returns what a private federation carries into its next round, undefined before the first. */
export function privacyStateOf({ history }: Federation["state"]): PrivacyState | undefined {
  return history.at(-1)?.privacy?.next;
}
