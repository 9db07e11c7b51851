import { type FieldsOf, fieldOf, numberField, wholeField } from "@isthmus/core";

/** Options for training networks without gradients. */
export interface EvolutionChoice {
  /** Number of times that a population is drawn and compared. @defaultValue 500 */
  readonly generations?: number;
  /** Networks of a generation, an even number of at least 2: each has a mirror image. @defaultValue 64 */
  readonly population?: number;
  /**
   * Examples that the networks of a generation are compared on.
   * @defaultValue 256, or all if there are fewer
   */
  readonly batch?: number | undefined;
  /** Standard deviation of every weight at the start, above 0. @defaultValue 0.05 */
  readonly deviation?: number;
  /** Rate of Adam for the means, falling to 0 along half a cosine. @defaultValue 0.01 */
  readonly learningRate?: number;
  /** Rate of the logarithms of the deviations; with 0 they do not change. @defaultValue 0.1 */
  readonly deviationRate?: number;
}

/** Most generations: more would run for years. */
const MOST_GENERATIONS = 100_000;
/** Most networks of a generation. */
const MOST_NETWORKS = 10_000;
/** Most examples in one engine call: memory is taken for all of them. */
const MOST_AT_ONCE = 2 ** 20;

const isPopulation = (value: unknown): boolean =>
  Number.isSafeInteger(value) &&
  Number(value) >= 2 &&
  Number(value) <= MOST_NETWORKS &&
  Number(value) % 2 === 0;

/** Fields of {@link EvolutionChoice}. */
export const EVOLUTION_FIELDS: FieldsOf<EvolutionChoice> = {
  generations: wholeField({
    least: 0,
    most: MOST_GENERATIONS,
    default: 500,
    help: "times that a population is drawn and compared",
  }),
  population: fieldOf<number>(
    {
      type: "special",
      name: "population",
      rule: `an even whole number from 2 to ${MOST_NETWORKS}, as networks come in pairs`,
      accepts: isPopulation,
    },
    { default: 64, placeholder: "<n>", parse: Number, help: "networks of a generation, an even number" },
  ),
  batch: wholeField({
    least: 1,
    most: MOST_AT_ONCE,
    help: "examples that networks of a generation are compared on (default: 256, or all if there are fewer)",
  }),
  deviation: numberField({
    above: 0,
    default: 0.05,
    help: "standard deviation of every weight at the start",
  }),
  learningRate: numberField({
    above: 0,
    default: 0.01,
    flag: "lr",
    help: "rate of Adam for the means, falling to 0 along half a cosine",
  }),
  deviationRate: numberField({
    least: 0,
    default: 0.1,
    help: "rate of the logarithms of the deviations; 0 leaves them as they are",
  }),
};
