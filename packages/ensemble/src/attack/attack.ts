import { checkSizes, formatCounted, type Measurement } from "@isthmus/findings";
import { describeAttack } from "../describe/describe-attack.ts";
import type { AttackResult } from "./attack-result.ts";
import { MEASURE_ATTACK_FIELDS, type MeasureAttackChoice, measureAttack } from "./measure-attack.ts";

/** Measurement that makes adversarial examples on some networks, and measures their transfer to others. */
export const ATTACK: Measurement<"attack", MeasureAttackChoice, AttackResult> = {
  kind: "attack",
  version: 1,
  attempt: "attack networks",
  subject: "attack",
  options: MEASURE_ATTACK_FIELDS,
  journal: { keeps: "finished batches", file: "batches.json" },
  examples: [
    [
      "--surrogate a.safetensors --data mnist:test@500 --eps 0.1 --report attack.html",
      "which networks examples made on one of them fool, also as a page",
    ],
    [
      "--surrogate a.safetensors --together 'nets/*.safetensors' --in-turn 'lgv/net-*.safetensors' --data mnist:test@500 --eps 0.1 --steps 50 --no-random-start",
      "one surrogate, an ensemble and networks that isthmus collect --method lgv has collected, side by side",
    ],
  ],
  form: async () => (await import("../forms/attack-form.ts")).ATTACK_FORM,
  findSizeProblems: ({ sources, targets }) =>
    checkSizes((checks) => {
      for (const [i, source] of sources.entries())
        checks.length(`sources.${i}.targets`, source.targets, targets.length, '"targets"');
    }),
  describe: describeAttack,
  titleOf: ({ targets }) => `Adversarial examples, shown to ${formatCounted(targets.length, "network")}`,
  async run({ graph, engine, sources, targets, data }, options, { signal, journalPath, report }) {
    return measureAttack({ graph, engine }, { sources, targets }, data, {
      ...options,
      journalPath,
      signal,
      onProgress: ({ source, done }) => report(`Attacking by ${source}`, done),
    });
  },
};
