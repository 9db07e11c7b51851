// Only a type, as servers and clients that load this need nothing of studies.
import type { SameShape } from "@isthmus/study";
import { z } from "zod";
import type { PrivacyDescription } from "./privacy-description.ts";

const share = z.number().min(0).max(1);
const count = z.int().min(1);

const sampling = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("all") }),
  z.strictObject({ kind: z.literal("fixed-size"), size: count, population: count }),
  z.strictObject({ kind: z.literal("poisson"), probability: share }),
]);

const privacy = z.strictObject({
  clip: z.number().positive(),
  noise: z.number().min(0),
  clients: z.number().positive(),
  sampling,
  delta: z.number().gt(0).lt(1),
  budget: z.number().positive().optional(),
  adaptive: z
    .strictObject({
      quantile: share.optional(),
      learningRate: z.number().min(0).optional(),
      countDeviation: z.number().min(0).optional(),
    })
    .optional(),
  by: z.enum(["network", "layer"]).optional(),
  at: z.enum(["server", "clients"]).optional(),
});

/** A key or a choice that is added to the type or to the schema alone is an error here. */
const checked: SameShape<z.output<typeof privacy>, PrivacyDescription> extends true ? typeof privacy : never =
  privacy;

/** Privacy as a file describes it. */
export const PRIVACY: z.ZodType<PrivacyDescription> = checked;
