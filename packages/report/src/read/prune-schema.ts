import { MEASURED } from "@isthmus/findings/forms";
import { schemaOf } from "@isthmus/forms";
import { PRUNE_CHOICES } from "@isthmus/sparsity";
import { z } from "zod";
import { lossFields, provenance, type ResultOf } from "./provenance.ts";

const count = z.int().min(0);
const text = z.string();
const share = z.number();
const measures = z.looseObject({ loss: MEASURED, error: MEASURED });

/** Form of a pruned network. */
export const PRUNE_SCHEMA: z.ZodType = schemaOf<ResultOf<"prune">>()(
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
        ...lossFields,
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
    provenance,
  }),
);
