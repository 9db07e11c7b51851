import { type Field, type FieldsOf, fieldOf, numberField, wholeField } from "@isthmus/core";

/** How shares of the tasks are drawn. */
export interface SharesChoice {
  /**
   * Concentration of the Dirichlet distribution that shares of the tasks are drawn from in every step: below
   * 1 mostly one task counts, above 1 mostly all. @defaultValue 1
   */
  readonly concentration?: number;
}

/** Which networks make the fronts, beside their training. */
export interface ParetoChoice extends SharesChoice {
  /** Networks of the manifold along each edge of the simplex, at least 2. @defaultValue 11 */
  readonly points?: number;
  /**
   * Networks trained each on a weighted sum, along each edge; 0 for none, else at least 2. @defaultValue 0
   */
  readonly scalarised?: number;
  /**
   * Epochs of each of these networks, for equal cost as many fewer as there are more of them.
   * @defaultValue as many as of the manifold
   */
  readonly scalarisedEpochs?: number | undefined;
}

/** Most networks along an edge of a front. */
const MOST_POINTS = 1000;
/** Most epochs of a training. */
const MOST_EPOCHS = 100_000;

/** Fields of {@link SharesChoice}. */
export const SHARES_FIELDS: FieldsOf<SharesChoice> = {
  concentration: numberField({
    above: 0,
    default: 1,
    help: "of the shares of the tasks that are drawn in every step",
  }),
};

/** Each task alone has a network, so that one along an edge is no front. */
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
