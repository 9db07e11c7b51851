import { PAIR_LAYOUTS } from "@isthmus/data";
import { ATTACK_METHODS, ATTACK_NORMS } from "@isthmus/ensemble";
import { amount, count, type FieldsOf, fieldsOf, positive, repeats, tries } from "@isthmus/forms";
import { RAY_DISTRIBUTIONS } from "@isthmus/star-domain";
import { z } from "zod";
import type { AttackChoice, EnsembleChoice } from "../description/ensemble-measurement.ts";
import type { ParetoChoice } from "../description/pareto-measurement.ts";

/** Fields of {@link EnsembleChoice}. */
export const ENSEMBLE_FIELDS: FieldsOf<EnsembleChoice> = fieldsOf<EnsembleChoice>()({
  members: tries(1).optional(),
  diversity: amount.optional(),
  rays: z.enum(RAY_DISTRIBUTIONS).optional(),
  rayMembers: tries(1).optional(),
  simplexMembers: tries(1).optional(),
});

/** Fields of {@link AttackChoice}. */
export const ATTACK_FIELDS: FieldsOf<AttackChoice> = fieldsOf<AttackChoice>()({
  method: z.enum(ATTACK_METHODS).optional(),
  norm: z.enum(ATTACK_NORMS).optional(),
  epsilon: amount.optional(),
  steps: repeats(1).optional(),
  stepSize: amount.optional(),
  randomStart: z.boolean().optional(),
});

/** Most networks along an edge of a front. */
const MOST_POINTS = 1000;

/** Fields of {@link ParetoChoice}. */
export const PARETO_FIELDS: FieldsOf<ParetoChoice> = fieldsOf<ParetoChoice>()({
  concentration: positive.optional(),
  points: count(2, MOST_POINTS).optional(),
  scalarised: count(0, MOST_POINTS)
    .refine((networks) => networks !== 1, { message: "must be 0 for none, or at least 2" })
    .optional(),
  scalarisedEpochs: repeats(1).optional(),
});

/** How two images become one. */
export const LAYOUT: z.ZodEnum<{ readonly [L in (typeof PAIR_LAYOUTS)[number]]: L }> = z.enum(PAIR_LAYOUTS);
