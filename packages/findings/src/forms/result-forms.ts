import { z } from "zod";
import type { Provenance } from "../provenance.ts";

/** A number that was measured. JSON has no NaN: it writes null for what could not be measured. */
export const MEASURED: z.ZodType<number> = z
  .number()
  .nullable()
  .transform((value) => value ?? Number.NaN);

const channels = z.union([z.number(), z.array(z.number())]);

/** The command that made a result, and how it scaled bytes, as files that a command wrote hold it. */
export const PROVENANCE: z.ZodOptional<z.ZodType<Provenance>> = z
  .looseObject({
    command: z.string(),
    version: z.string(),
    data: z.array(z.looseObject({ name: z.string(), mean: channels, std: channels })).optional(),
  })
  .optional();

/** Form of the provenance in results of all kinds; other keys are left unchanged. */
export const MADE_RESULT: z.ZodType = z.looseObject({ provenance: PROVENANCE });

/** Fields that say by which loss a result was measured, if that is not the usual one of classes. */
export const LOSS_FORM: {
  readonly lossKind: z.ZodOptional<z.ZodString>;
  readonly lossUnit: z.ZodOptional<z.ZodString>;
} = { lossKind: z.string().optional(), lossUnit: z.string().optional() };
