import { DATA_NAME } from "@isthmus/data/forms";
import { fingerprint, schemaOf } from "@isthmus/forms";
import { NET } from "@isthmus/zoo/forms";
import * as z from "zod";
import type { TaskData, TaskNetwork } from "./task-kind.ts";

/** Examples, as the key of a task records them. */
export const TASK_DATA: z.ZodType<TaskData> = schemaOf<TaskData>()(
  z.strictObject({ name: DATA_NAME, digest: fingerprint }),
);

/** A network with random weights, as the key of a task records it. */
export const TASK_NETWORK: z.ZodType<TaskNetwork> = schemaOf<TaskNetwork>()(
  z.strictObject({ net: NET, graph: fingerprint, weights: fingerprint }),
);
