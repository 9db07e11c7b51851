import { type Field, type FieldsOf, fieldOf, numberField, wholeField } from "@isthmus/core";

/** Options of drawing shares of the tasks. */
export interface SharesChoice {
  /**
   * Concentration of the Dirichlet distribution from which shares of the tasks are drawn in every step: below
   * 1, mostly a single task counts; above 1, mostly all tasks count.
   * @defaultValue 1
   */
  readonly concentration?: number;
}

/** Options of the networks of the fronts, beside their training. */
export interface ParetoChoice extends SharesChoice {
  /** Number of networks of the manifold along each edge of the simplex, at least 2. @defaultValue 11 */
  readonly points?: number;
  /**
   * Number of networks along each edge that are each trained on a weighted sum; 0 for none, else at least 2.
   * @defaultValue 0
   */
  readonly scalarised?: number;
  /**
   * Number of epochs of each of these networks; for equal cost, set it to the epochs of the manifold divided
   * by the number of these networks.
   * @defaultValue the number of epochs of the manifold
   */
  readonly scalarisedEpochs?: number | undefined;
}

/** Largest number of networks along an edge of a front. */
const MOST_POINTS = 1000;
/** Largest number of epochs of a training. */
const MOST_EPOCHS = 100_000;

/** Fields of {@link SharesChoice}. */
export const SHARES_FIELDS: FieldsOf<SharesChoice> = {
  concentration: numberField({
    above: 0,
    default: 1,
    help: "of the shares of the tasks that are drawn in every step",
  }),
};

/**
 * Field of the number of networks on weighted sums: 1 is not allowed, as both ends of an edge have a network.
 */
const SCALARISED_FIELD: Field<number> = fieldOf<number>(
  {
    type: "special",
    name: "scalarised",
    rule: `0 for none, or a whole number from 2 to ${MOST_POINTS}`,
    accepts: (value) =>
      Number.isSafeInteger(value) && (value === 0 || (Number(value) >= 2 && Number(value) <= MOST_POINTS)),
  },
  {
    placeholder: "<n>",
    default: 0,
    parse: (text) => (/^\d+$/.test(text) ? Number(text) : text),
    help: "networks to train each on a weighted sum beside it, at least 2, or 0 for none",
  },
);

/** Fields of {@link ParetoChoice}. */
export const PARETO_FIELDS: FieldsOf<ParetoChoice> = {
  ...SHARES_FIELDS,
  points: wholeField({
    least: 2,
    most: MOST_POINTS,
    default: 11,
    help: "networks between the two to measure",
  }),
  scalarised: SCALARISED_FIELD,
  scalarisedEpochs: wholeField({
    least: 1,
    most: MOST_EPOCHS,
    keyed: "if-named",
    help: "epochs of each of these, for equal cost as many fewer (default: --epochs)",
  }),
};
