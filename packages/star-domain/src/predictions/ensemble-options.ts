import { type FieldsOf, flagField, seedField, wholeField } from "@isthmus/core";
import { COMPARE_ENSEMBLES_FIELDS, type CompareEnsemblesChoice, MOST_MEMBERS } from "@isthmus/ensemble";
import { RAYS_FIELD, type RayDistribution } from "../search/ray.ts";

/** Options of drawing networks that predict beside the given ones. */
export interface DrawnChoice {
  /** Distribution of places on the rays of a star. @defaultValue "uniform" */
  readonly rays?: RayDistribution;
  /** Number of networks on the rays of a star. @defaultValue the number of given networks */
  readonly rayMembers?: number | undefined;
  /**
   * Number of networks that are drawn uniformly from the simplex of the given networks.
   * @defaultValue none
   */
  readonly simplexMembers?: number | undefined;
  /** Whether networks are aligned to the star before rays to them are drawn. @defaultValue true */
  readonly align?: boolean;
  /** Seed of rays, alignments and places on the simplex. @defaultValue 0 */
  readonly seed?: number;
}

/** Options of the measurement of ensembles that are plain data. */
export interface EnsembleChoice extends CompareEnsemblesChoice, DrawnChoice {}

/** Fields of {@link EnsembleChoice}. */
export const ENSEMBLE_FIELDS: FieldsOf<EnsembleChoice> = {
  ...COMPARE_ENSEMBLES_FIELDS,
  rays: RAYS_FIELD,
  rayMembers: wholeField({
    least: 1,
    most: MOST_MEMBERS,
    keyed: "if-named",
    help: "networks on rays (default: as many as networks)",
  }),
  simplexMembers: wholeField({
    least: 1,
    most: MOST_MEMBERS,
    keyed: "if-named",
    help: "compare networks drawn evenly from the simplex of the networks, too (default: none)",
  }),
  align: flagField({
    default: true,
    keyed: "if-changed",
    help: "align the networks to the star before rays to them are drawn",
  }),
  seed: seedField("seed of rays, alignments and places on the simplex"),
};
