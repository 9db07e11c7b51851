import { amount, positive, schemaOf, share } from "@isthmus/forms";
import * as z from "zod";
import type { PrivacyDescription } from "./privacy-description.ts";

const count = z.int().min(1);

const sampling = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("all") }),
  z.strictObject({ kind: z.literal("fixed-size"), size: count, population: count }),
  z.strictObject({ kind: z.literal("poisson"), probability: share }),
]);

const privacy = z.strictObject({
  clip: positive,
  noise: amount,
  clients: positive,
  sampling,
  delta: z.number().gt(0).lt(1),
  budget: positive.optional(),
  adaptive: z
    .strictObject({
      quantile: share.optional(),
      learningRate: amount.optional(),
      countDeviation: amount.optional(),
    })
    .optional(),
  by: z.enum(["network", "layer"]).optional(),
  at: z.enum(["server", "clients"]).optional(),
});

/** Schema of the privacy in a file. */
export const PRIVACY: z.ZodType<PrivacyDescription> = schemaOf<PrivacyDescription>()(privacy);
