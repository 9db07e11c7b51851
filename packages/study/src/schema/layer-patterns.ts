import type { LayerPattern } from "@isthmus/barrier";
import { schemaOf, text } from "@isthmus/forms";
import { z } from "zod";

/** Most groups of layers, and most patterns of one: networks have at most 1024 layers. */
const MOST_PATTERNS = 10_000;

/** Groups of layers, each a name with patterns. */
export const LAYER_PATTERNS: z.ZodType<readonly LayerPattern[]> = schemaOf<readonly LayerPattern[]>()(
  z
    .array(z.strictObject({ name: text, patterns: z.array(text).min(1).max(MOST_PATTERNS) }))
    .max(MOST_PATTERNS),
);
