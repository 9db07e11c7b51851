import { MEASURED } from "@isthmus/findings/forms";
import { count, schemaOf, text } from "@isthmus/forms";
import * as z from "zod";
import { ATTACK_METHODS, ATTACK_NORMS } from "../attack/attack-options.ts";
import type { AttackResult } from "../attack/attack-result.ts";
import { SOURCE_MODES } from "../attack/attack-source.ts";

const whole = count(0);

/** Form of the transfer of adversarial examples, as files hold it. */
export const ATTACK_FORM: z.ZodType = schemaOf<AttackResult>()(
  z.looseObject({
    kind: z.literal("attack"),
    method: z.enum(ATTACK_METHODS),
    norm: z.enum(ATTACK_NORMS),
    epsilon: z.number(),
    steps: whole,
    stepSize: z.number(),
    randomStart: z.boolean(),
    seed: whole,
    pixels: z.boolean(),
    sources: z
      .array(
        z.looseObject({
          name: text,
          mode: z.enum(SOURCE_MODES),
          networks: z.array(text),
          loss: z.looseObject({ before: MEASURED, after: MEASURED }),
          targets: z.array(z.looseObject({ success: z.number().nullable(), accuracy: MEASURED })),
        }),
      )
      .min(1),
    targets: z.array(z.looseObject({ network: text, accuracy: MEASURED })).min(1),
    data: text,
    examples: whole,
    engine: text,
  }),
);
