import { choiceField, type FieldsOf, listField, numberField, wholeField } from "@isthmus/core";
import { DISTILL_DEFAULTS, TRAINING_FIELDS } from "@isthmus/training";

/** Optimisers that healing may use. */
const OPTIMIZERS = ["adamw", "adam", "sgd"] as const;

/** Most steps of a healing. */
const MOST_STEPS = 10_000_000;

/** Options of a healing that are plain data. */
export interface HealRules {
  /** Number of steps over all experts, which teach in turn. @defaultValue 300 */
  readonly steps?: number;
  /** Examples in a step. @defaultValue 16, or the batch of a graph that takes no other */
  readonly batch?: number | undefined;
  /** Temperature by which distributions are softened, above 0. @defaultValue 1 */
  readonly temperature?: number;
  /** Rule that makes a step from a gradient. @defaultValue "adamw" */
  readonly optimizer?: (typeof OPTIMIZERS)[number];
  /** Learning rate of the first step, which falls to 0 along half a cosine. @defaultValue 0.001 */
  readonly learningRate?: number;
  /** Patterns of the only parameters that learn; `*` matches any characters. @defaultValue all learn */
  readonly only?: readonly string[];
  /** Patterns of parameters that do not learn. @defaultValue none */
  readonly freeze?: readonly string[];
  /** Seed of the order of examples. @defaultValue 0 */
  readonly seed?: number;
  /** Threads of the engine; 0 lets it choose. @defaultValue 0 */
  readonly threads?: number;
  /** Number of steps after which the state is written; 0 to write it at the end only. @defaultValue 50 */
  readonly saveEvery?: number;
}

/** Fields of {@link HealRules}. */
export const HEAL_FIELDS: FieldsOf<HealRules> = {
  steps: wholeField({
    least: 0,
    most: MOST_STEPS,
    default: DISTILL_DEFAULTS.steps,
    help: "steps over all experts, which teach in turn",
  }),
  batch: {
    ...TRAINING_FIELDS.batch,
    help: `examples in a step (default: ${DISTILL_DEFAULTS.batch} or all if fewer, or as many as the graph takes)`,
  },
  temperature: numberField({
    above: 0,
    default: DISTILL_DEFAULTS.temperature,
    help: "softens the distributions that are compared",
  }),
  optimizer: choiceField(OPTIMIZERS, {
    default: "adamw",
    help: "the rule that makes a step from a gradient",
  }),
  learningRate: numberField({
    above: 0,
    flag: "lr",
    default: 0.001,
    help: "learning rate of the first step, which falls to 0 along half a cosine",
  }),
  only: listField<string>(
    { type: "text" },
    {
      least: 0,
      default: [],
      placeholder: "<pattern>",
      help: "heal these parameters alone, such as '*.mlp.*'; may be repeated",
    },
  ),
  freeze: { ...TRAINING_FIELDS.freeze, rare: false },
  seed: TRAINING_FIELDS.seed,
  threads: TRAINING_FIELDS.threads,
  saveEvery: wholeField({
    least: 0,
    default: 50,
    rare: true,
    placeholder: "<steps>",
    help: "write the state after every so many steps; 0 for at the end only",
  }),
};
