import type { OptimizerSpec, ScheduleSpec } from "@isthmus/training";
import type { z } from "zod";
import { marksPath } from "../tasks/params/moved-paths.ts";
import { DATA_NAME, fingerprint, NET } from "../tasks/params/task-schema.ts";
import { batch, repeats, seed, text } from "./numbers.ts";
import { OPTIMIZER, SCHEDULE } from "./training-schema.ts";

/** Schemas of what parameters of tasks of several packages have, with the same bounds everywhere. */
export const COMMON_SCHEMAS: {
  readonly optimizer: z.ZodType<OptimizerSpec>;
  readonly schedule: z.ZodType<ScheduleSpec>;
  /** A network of the zoo. */
  readonly net: z.ZodString;
  readonly fingerprint: z.ZodString;
  /** A name that is no path, or any other text. */
  readonly text: z.ZodString;
  /** The name of a data set, in which paths are moved to where a worker finds them. */
  readonly dataName: z.ZodString;
  /** A path, which is moved to where a worker finds it. */
  readonly path: z.ZodString;
  readonly seed: z.ZodInt;
  /** Examples in a step. */
  readonly batch: z.ZodInt;
  /** Epochs or rounds, of which there must be one. */
  readonly repeats: z.ZodInt;
} = {
  ...{ optimizer: OPTIMIZER, schedule: SCHEDULE, net: NET, fingerprint, text, seed, batch },
  ...{ dataName: DATA_NAME, path: marksPath(text.min(1)), repeats: repeats(1) },
};
