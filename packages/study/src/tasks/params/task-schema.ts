import { parseNetworkName } from "@isthmus/zoo";
import { z } from "zod";
import { text } from "../../schema/numbers.ts";
import { schemaOf } from "../../schema/schema-of.ts";
import type { TaskData, TaskNetwork } from "../task-kind.ts";
import { marksDataName } from "./moved-paths.ts";
import { estimateWeights } from "./net-size.ts";

/** The beginning of a SHA-256. */
export const fingerprint: z.ZodString = z.string().regex(/^[\da-f]{32}$/, {
  error: "must be 32 hexadecimal digits",
});

/** Most weights of a network that a task may ask for: they take 8 GiB. */
const MOST_WEIGHTS = 2 ** 31;

/** The short string of a network of the zoo, which bounds all of its sizes; here its weights, too. */
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

/** The name of a data set. */
export const DATA_NAME: z.ZodString = marksDataName(text.min(1));

/** Examples, as the key of a task records them. */
export const TASK_DATA: z.ZodType<TaskData> = schemaOf<TaskData>()(
  z.strictObject({ name: DATA_NAME, digest: fingerprint }),
);

/** A network with random weights, as the key of a task records it. */
export const TASK_NETWORK: z.ZodType<TaskNetwork> = schemaOf<TaskNetwork>()(
  z.strictObject({ net: NET, graph: fingerprint, weights: fingerprint }),
);
