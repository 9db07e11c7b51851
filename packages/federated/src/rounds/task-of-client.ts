import type { FederationPlan } from "./federation-plan.ts";
import { type FederationState, roundOf } from "./federation-state.ts";
import { type SecureTask, secureTaskOf } from "./secure-rounds.ts";

/** Current task of one client. */
export type ClientTask =
  /** Train from the network of this hash, and send the result for this round. */
  | {
      /** Tag of the task to train. */
      readonly kind: "train";
      /** Number of the round, from 1. */
      readonly round: number;
      /** Hash of the global network to train from. */
      readonly network: string;
      /** Time at which the round closes, in milliseconds of the server's clock. */
      readonly until: number;
    }
  /** Do a step of the secure sum of this round. */
  | {
      /** Tag of the task to do a step of a secure sum. */
      readonly kind: "secure";
      /** Number of the round, from 1. */
      readonly round: number;
      /** Hash of the global network of the round. */
      readonly network: string;
      /** Kind of the message that the client must send. */
      readonly step: SecureTask["step"];
    }
  /** Ask again later. */
  | {
      /** Tag of the task to ask again later. */
      readonly kind: "wait";
      /** Number of the round that is open or comes next, from 1. */
      readonly round: number;
      /** Reason for waiting, for people. */
      readonly reason: string;
    }
  /** The federation is over; `network` is its last global network, also if the federation failed. */
  | {
      /** Tag of the answer that the federation is over. */
      readonly kind: "finished";
      /** Hash of the last global network. */
      readonly network: string;
      /** Reason why the federation failed; `null` if it did not. */
      readonly reason: string | null;
    };

/** Returns the current task of a client. */
export function taskOfClient(plan: FederationPlan, state: FederationState, client: string): ClientTask {
  const { status, network, open, reason } = state;
  if (status === "finished" || status === "failed") return { kind: "finished", network, reason };
  const round = roundOf(state);
  const wait = (why: string): ClientTask => ({ kind: "wait", round, reason: why });
  const member = Object.hasOwn(state.members, client) ? state.members[client] : undefined;
  if (member === undefined) return wait("the client has not joined");
  const secure = plan.secure === null ? undefined : secureStep(state, client);
  if (secure !== undefined) return secure;
  if (status === "aggregating") return wait(`round ${round} is being aggregated`);
  if (open === null) return wait(`round ${round} waits for clients`);
  if (member.sent >= round) return wait(`the update for round ${round} is there`);
  if (plan.buffer === null && !open.clients.includes(client))
    return wait(`round ${round} asks other clients`);
  return { kind: "train", round, network, until: open.startedAt + plan.deadline };
}

/** Returns the task of a client in a secure sum other than training; undefined if it has none. */
function secureStep(state: FederationState, client: string): ClientTask | undefined {
  const { open, network, status } = state;
  if (open === null) return undefined;
  const { round } = open;
  const task = secureTaskOf(state, client);
  if (task !== undefined) {
    return task.step === "masked" ? undefined : { kind: "secure", round, network, step: task.step };
  }
  if (status !== "collecting") return undefined;
  const reason = `round ${round} waits for other clients, or for those that take part in its secure sum`;
  return { kind: "wait", round, reason };
}
