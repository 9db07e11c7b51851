import { LOSS_FORM, MEASURED } from "@isthmus/findings/forms";
import { schemaOf } from "@isthmus/forms";
import * as z from "zod";
import { PRUNE_CHOICES } from "./prune-fields.ts";
import type { PruneResult } from "./prune-result.ts";

const count = z.int().min(0);
const text = z.string();
const share = z.number();
const measures = z.looseObject({ loss: MEASURED, error: MEASURED });

/** Form of a pruned network, as files hold it. */
export const PRUNE_FORM: z.ZodType = schemaOf<PruneResult>()(
  z.looseObject({
    kind: z.literal("prune"),
    network: text,
    by: z.enum(PRUNE_CHOICES),
    target: share,
    sparsity: share,
    elements: count,
    pruned: count,
    layers: z.array(z.looseObject({ name: text, elements: count, pruned: count, sparsity: share })),
    criterion: z.literal("signal-to-noise").optional(),
    units: z.array(z.looseObject({ name: text, units: count, pruned: count })).optional(),
    measures: z
      .looseObject({
        before: measures,
        after: measures,
        tuned: measures.optional(),
        examples: count,
        data: text,
        engine: text,
        ...LOSS_FORM,
      })
      .optional(),
    rewinding: z
      .looseObject({
        method: z.enum(["gradient", "evolution"]),
        rewind: count,
        rounds: z.array(
          z.looseObject({
            sparsity: share,
            loss: MEASURED.optional(),
            error: MEASURED.optional(),
            barrier: MEASURED.optional(),
          }),
        ),
      })
      .optional(),
    tuning: z.looseObject({ data: text, epochs: count, seed: count }).optional(),
  }),
);
