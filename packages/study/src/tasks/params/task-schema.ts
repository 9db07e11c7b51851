import { parseNetworkName } from "@isthmus/zoo";
import { z } from "zod";
import { text } from "../../schema/numbers.ts";
import { schemaOf } from "../../schema/schema-of.ts";
import type { TaskData, TaskNetwork } from "../task-kind.ts";

/** The beginning of a SHA-256. */
export const fingerprint: z.ZodString = z.string().regex(/^[\da-f]{32}$/, {
  error: "must be 32 hexadecimal digits",
});

/** The short string of a network of the zoo, which bounds all of its sizes. */
export const NET: z.ZodString = text.superRefine((net, context) => {
  try {
    parseNetworkName(net);
  } catch (error) {
    context.addIssue({
      code: "custom",
      message: `must name a network of the zoo: ${(error as Error).message}`,
    });
  }
});

/** Examples, as the key of a task records them. */
export const TASK_DATA: z.ZodType<TaskData> = schemaOf<TaskData>()(
  z.strictObject({ name: text.min(1), digest: fingerprint }),
);

/** A network with random weights, as the key of a task records it. */
export const TASK_NETWORK: z.ZodType<TaskNetwork> = schemaOf<TaskNetwork>()(
  z.strictObject({ net: NET, graph: fingerprint, weights: fingerprint }),
);
