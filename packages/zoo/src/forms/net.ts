import { text } from "@isthmus/forms";
import type * as z from "zod";
import { parseNetworkName } from "../short-string/parse-network.ts";
import { estimateWeights } from "./net-size.ts";

/** Maximum number of weights of a network that a task may request: they take 8 GiB. */
const MOST_WEIGHTS = 2 ** 31;

/**
 * Form of the short string of a network of the zoo. The string bounds all sizes of the network; the form also
 * bounds the number of its weights.
 */
export const NET: z.ZodString = text.superRefine((net, context) => {
  const message = findNetProblem(net);
  if (message !== undefined) context.addIssue({ code: "custom", message });
});

function findNetProblem(net: string): string | undefined {
  try {
    const weights = estimateWeights(parseNetworkName(net));
    if (weights <= MOST_WEIGHTS) return undefined;
    return `must have at most ${MOST_WEIGHTS} weights: it is "${net}" with about ${weights.toPrecision(2)}`;
  } catch (error) {
    return `must name a network of the zoo: ${(error as Error).message}`;
  }
}
