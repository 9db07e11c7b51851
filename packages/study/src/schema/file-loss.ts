import { schemaOf, shareBelow1 } from "@isthmus/forms";
import type { CrossEntropyLoss, NextTokenLoss, NumbersLoss } from "@isthmus/training";
import { z } from "zod";

const labelSmoothing = shareBelow1.optional();

/** Losses that a file may name: others need inputs or outputs of a graph that a study does not have. */
export type FileLoss =
  | Pick<CrossEntropyLoss, "kind" | "labelSmoothing">
  | Pick<NextTokenLoss, "kind" | "labelSmoothing" | "weighted">
  | Pick<NumbersLoss, "kind">;

/** A loss that a file may name. */
export const FILE_LOSS: z.ZodType<FileLoss> = schemaOf<FileLoss>()(
  z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("cross-entropy"), labelSmoothing }),
    z.strictObject({ kind: z.literal("next-token"), labelSmoothing, weighted: z.boolean().optional() }),
    z.strictObject({ kind: z.enum(["binary-cross-entropy", "mean-squared-error", "mean-absolute-error"]) }),
  ]),
);
