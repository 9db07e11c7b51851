import { z } from "zod";
import type { NetworkMeasurement } from "../description/network-measurement.ts";
import { NAMED_DATA } from "../file/entry-fields.ts";
import { TASK_DATA } from "../tasks/task-schema.ts";

/** Networks of a group that differ in one variable only, and what they are compared with. */
export interface EnsembleSelection extends NetworkMeasurement {
  /** The variable in which networks that predict together differ. @defaultValue "seed" */
  readonly across?: string;
  /** Name of the examples that a greedy ensemble is chosen on. @defaultValue none is chosen */
  readonly selectionData?: string;
  /** Names of other data that predictions should be unsure of. @defaultValue none */
  readonly others?: readonly string[];
  /** Name of the examples that batch norms of means are measured on. @defaultValue the first of `data` */
  readonly statisticsData?: string;
  /** Name of a group of stars of these networks, which predict, too, with the networks on their rays. */
  readonly star?: string;
}

/** What an entry says of an ensemble, beside its networks and the examples to measure on. */
export const ENSEMBLE_SHAPE: z.ZodRawShape = {
  across: z.string().optional(),
  others: z.array(NAMED_DATA).optional(),
  statisticsData: NAMED_DATA.optional(),
  star: z.string().optional(),
};

/** What a task says of an ensemble, beside its files and the examples that all tasks have. */
export const ENSEMBLE_PARAMS: z.ZodRawShape = { others: z.array(TASK_DATA) };
