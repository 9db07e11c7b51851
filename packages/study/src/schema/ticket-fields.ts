import {
  amount,
  batch,
  type FieldsOf,
  fieldsOf,
  positive,
  repeats,
  shareBelow1,
  tries,
} from "@isthmus/forms";
import { z } from "zod";
import type { EvolutionChoice, RoundsChoice } from "../description/ticket-network.ts";

/** Fields of how much of a lottery ticket is pruned in how many rounds. */
export const ROUNDS_FIELDS: FieldsOf<RoundsChoice> = fieldsOf<RoundsChoice>()({
  sparsity: shareBelow1,
  rounds: tries(1).optional(),
  by: z.enum(["global", "layer"]).optional(),
});

/** Fields of a training by evolution. */
export const EVOLUTION_FIELDS: FieldsOf<EvolutionChoice> = fieldsOf<EvolutionChoice>()({
  batch: batch.optional(),
  generations: repeats(1).optional(),
  population: tries(1).optional(),
  deviation: positive.optional(),
  learningRate: positive.optional(),
  deviationRate: amount.optional(),
});
