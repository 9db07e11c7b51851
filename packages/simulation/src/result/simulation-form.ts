import { LOSS_FORM, MEASURED } from "@isthmus/findings/forms";
import * as z from "zod";

const count = z.int().min(0);
const text = z.string();
const shift = z.looseObject({ rotation: z.number(), brightness: z.number(), noise: z.number() });

const round = z.looseObject({
  round: count,
  updates: count,
  refused: z.array(z.looseObject({ reason: text, count })),
  bytesDown: count,
  bytesUp: count,
  trainLoss: MEASURED,
  changeNorm: MEASURED,
  failed: text.optional(),
  epsilon: z.number().nullable().optional(),
  clip: z.number().optional(),
  accuracy: MEASURED.optional(),
  loss: MEASURED.optional(),
  local: MEASURED.optional(),
});

const run = z.looseObject({
  ...LOSS_FORM,
  partition: text,
  strategy: text,
  attack: text,
  seed: count,
  attackers: z.array(text),
  rounds: z.array(round),
  failed: text.optional(),
  stopped: text.optional(),
  accuracy: MEASURED,
  loss: MEASURED,
  clients: z.array(
    z.looseObject({
      client: text,
      attacker: z.boolean(),
      examples: count,
      accuracy: MEASURED,
      loss: MEASURED.optional(),
    }),
  ),
  fairness: z.looseObject({ mean: MEASURED, std: MEASURED, worst: MEASURED }),
  norms: z.looseObject({ own: MEASURED, aggregated: MEASURED, pooled: MEASURED }).optional(),
  barriers: z.array(
    z.looseObject({
      round: count,
      a: text,
      b: text,
      aligned: z.boolean(),
      whole: MEASURED,
      layers: z.array(z.looseObject({ name: text, barrier: MEASURED })),
    }),
  ),
});

/** Form of a simulation as `--json` prints it; the descriptions in it are for people and are not checked. */
export const SIMULATION_FORM: z.ZodType = z.looseObject({
  kind: z.literal("simulation"),
  title: text,
  description: text,
  federation: z.looseObject({ net: text, data: text, evaluate: text, clients: count, rounds: count }),
  partitions: z.record(text, z.looseObject({})),
  strategies: z.record(text, z.looseObject({})),
  attacks: z.record(text, z.looseObject({}).nullable()),
  seeds: z.array(count),
  runs: z.array(run),
  divisions: z.array(
    z.looseObject({
      partition: text,
      seed: count,
      clients: z.array(z.looseObject({ client: text, labels: z.array(count), shift: shift.optional() })),
    }),
  ),
  engine: text,
});
