import * as z from "zod";
import type { Provenance } from "../provenance.ts";

/** Form of a number that was measured. JSON has no NaN: results hold null in its place. */
export const MEASURED: z.ZodType<number> = z
  .number()
  .nullable()
  .transform((value) => value ?? Number.NaN);

const channels = z.union([z.number(), z.array(z.number())]);

/** Form of the provenance of a result, as files of a command hold it: the command, and the scale of bytes. */
export const PROVENANCE: z.ZodOptional<z.ZodType<Provenance>> = z
  .looseObject({
    command: z.string(),
    version: z.string(),
    data: z.array(z.looseObject({ name: z.string(), mean: channels, std: channels })).optional(),
  })
  .optional();

/** Form of the provenance in results of all kinds; other keys are left unchanged. */
export const MADE_RESULT: z.ZodType = z.looseObject({ provenance: PROVENANCE });

/** Form of the fields that name the loss of a result, which are missing for the usual loss of classes. */
export const LOSS_FORM: {
  readonly lossKind: z.ZodOptional<z.ZodString>;
  readonly lossUnit: z.ZodOptional<z.ZodString>;
} = { lossKind: z.string().optional(), lossUnit: z.string().optional() };
