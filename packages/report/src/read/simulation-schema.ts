import { z } from "zod";

/** JSON has no NaN: it writes null for what could not be measured. */
const measured = z
  .number()
  .nullable()
  .transform((value) => value ?? Number.NaN);
const count = z.int().min(0);
const text = z.string();
const shift = z.looseObject({ rotation: z.number(), brightness: z.number(), noise: z.number() });

const round = z.looseObject({
  round: count,
  updates: count,
  refused: z.array(z.looseObject({ reason: text, count })),
  bytesDown: count,
  bytesUp: count,
  trainLoss: measured,
  changeNorm: measured,
  failed: text.optional(),
  epsilon: z.number().nullable().optional(),
  clip: z.number().optional(),
  accuracy: measured.optional(),
  loss: measured.optional(),
  local: measured.optional(),
});

const run = z.looseObject({
  partition: text,
  strategy: text,
  attack: text,
  seed: count,
  attackers: z.array(text),
  rounds: z.array(round),
  failed: text.optional(),
  stopped: text.optional(),
  accuracy: measured,
  loss: measured,
  clients: z.array(
    z.looseObject({ client: text, attacker: z.boolean(), examples: count, accuracy: measured }),
  ),
  fairness: z.looseObject({ mean: measured, std: measured, worst: measured }),
  norms: z.looseObject({ aggregated: measured, pooled: measured, own: measured }).optional(),
  barriers: z.array(
    z.looseObject({
      ...{ round: count, a: text, b: text, aligned: z.boolean(), whole: measured },
      layers: z.array(z.looseObject({ name: text, barrier: measured })),
    }),
  ),
});

/** Form of a simulation as `--json` prints it; descriptions in it are for people and are left as they are. */
export const SIMULATION_SCHEMA: z.ZodType = z.looseObject({
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
      ...{ partition: text, seed: count },
      clients: z.array(z.looseObject({ client: text, labels: z.array(count), shift: shift.optional() })),
    }),
  ),
  engine: text,
  provenance: z.looseObject({ command: text, version: text }).optional(),
});
