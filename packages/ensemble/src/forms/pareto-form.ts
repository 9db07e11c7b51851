import { MEASURED } from "@isthmus/findings/forms";
import { schemaOf } from "@isthmus/forms";
import * as z from "zod";
import type { ParetoResult } from "../pareto/pareto-result.ts";

const count = z.int().min(0);
const text = z.string();

const front = z.looseObject({
  points: z
    .array(
      z.looseObject({
        shares: z.array(z.number()),
        losses: z.array(MEASURED),
        accuracies: z.array(MEASURED),
      }),
    )
    .min(1),
  hypervolume: MEASURED,
  steps: count,
});

/** Form of fronts of networks for several tasks, as files hold them. */
export const PARETO_FORM: z.ZodType = schemaOf<ParetoResult>()(
  z.looseObject({
    kind: z.literal("pareto"),
    tasks: z.array(text),
    manifold: front,
    scalarised: front.optional(),
    together: MEASURED.optional(),
    reference: z.array(z.number()),
    trainedOn: text,
    data: text,
    examples: count,
    seed: count,
    engine: text,
  }),
);
