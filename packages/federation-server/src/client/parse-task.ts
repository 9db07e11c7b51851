import { cutText, InputError } from "@isthmus/core";
import type { MessageStage } from "@isthmus/federated";
import { tellProblem } from "@isthmus/forms";
import * as z from "zod";
import { MOST_CHARACTERS } from "./requester.ts";

/** Task that a server gives to a client. */
export type TaskAnswer =
  /** Train from the network of this hash, and send the result for this round. */
  | {
      /** Tag of the task to train. */
      readonly task: "train";
      /** Number of the round, from 1. */
      readonly round: number;
      /** SHA-256 of the network to train from. */
      readonly network: string;
    }
  /** Do a step of the secure sum of this round. */
  | {
      /** Tag of the task to do a step of a secure sum. */
      readonly task: "secure";
      /** Number of the round, from 1. */
      readonly round: number;
      /** Kind of the message that the client must send. */
      readonly step: MessageStage;
    }
  /** Ask again later. */
  | {
      /** Tag of the task to ask again later. */
      readonly task: "wait";
      /** Reason for waiting, for people. */
      readonly reason: string;
    }
  /** The federation is over: read its last network. If it failed, there is a reason. */
  | {
      /** Tag of the answer that the federation is over. */
      readonly task: "finished";
      /** SHA-256 of the last global network. */
      readonly network: string;
      /** Reason why the federation failed; `null` if it did not. */
      readonly reason: string | null;
    };

const round = z.int().min(1);
const network = z.string().regex(/^[\da-f]{64}$/, { error: "must be a SHA-256" });

/** Words of a server for people, which may fill no terminal and no log. */
const reason = z.string().transform((text) => cutText(text, MOST_CHARACTERS));

const ANSWER: z.ZodType<TaskAnswer> = z.discriminatedUnion("task", [
  z.object({ task: z.literal("train"), round, network }),
  z.object({ task: z.literal("secure"), round, step: z.enum(["keys", "shares", "confirm", "reveal"]) }),
  z.object({ task: z.literal("wait"), reason }),
  z.object({ task: z.literal("finished"), network, reason: reason.nullable() }),
]);

/**
 * Checks the answer of a server to a client that asked for its task.
 * @throws InputError that names the key if something is missing, or of another form
 */
export function parseTask(answer: unknown): TaskAnswer {
  const parsed = ANSWER.safeParse(answer);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => tellProblem(issue.path, issue)).join(", ");
  throw new InputError(`Cannot go on as the server's answer must be a task: ${problems}`, { input: "task" });
}
