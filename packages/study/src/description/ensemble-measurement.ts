import type { AttackMethod, AttackNorm, SourceMode } from "@isthmus/ensemble";
import type { RayDistribution } from "@isthmus/star-domain";
import type { NetworkMeasurement } from "./network-measurement.ts";
import type { WantedValues } from "./wanted-values.ts";

/** How an ensemble is chosen and drawn, beside the data. */
export interface EnsembleChoice {
  /** The most networks of the greedy ensemble. @defaultValue half of the networks, rounded up */
  readonly members?: number;
  /** Weight of diversity in the choice of the greedy ensemble. @defaultValue 1 */
  readonly diversity?: number;
  /** How places on the rays of a star are drawn. @defaultValue "uniform" */
  readonly rays?: RayDistribution;
  /** Networks on the rays of a star. @defaultValue as many as networks */
  readonly rayMembers?: number;
  /** Networks that are drawn evenly from the simplex of the networks. @defaultValue none */
  readonly simplexMembers?: number;
}

/**
 * Ways to predict by the networks of a group that differ in one variable only, as `compareEnsembles` compares
 * them: each alone, by the mean of the weights, and together.
 */
export interface EnsembleMeasurement extends NetworkMeasurement, EnsembleChoice {
  readonly kind: "ensemble";
  /** The variable in which networks that predict together differ. @defaultValue "seed" */
  readonly across?: string;
  /** Name of the examples that a greedy ensemble is chosen on. @defaultValue none is chosen */
  readonly selectionData?: string;
  /** Names of other data that predictions should be unsure of. @defaultValue none */
  readonly others?: readonly string[];
  /** Name of the examples that batch norms of means are measured on. @defaultValue the first of `data` */
  readonly statisticsData?: string;
  /** Name of a group of stars of these networks, which predict, too, with the networks on their rays. */
  readonly star?: string;
}

/** How examples are changed, as a study says it. */
export interface AttackChoice {
  readonly method?: AttackMethod;
  readonly norm?: AttackNorm;
  readonly epsilon?: number;
  readonly steps?: number;
  readonly stepSize?: number;
  readonly randomStart?: boolean;
}

/** Networks that adversarial examples are made on, as a study says it. */
export interface SourceChoice {
  /** Name of their group. */
  readonly of: string;
  /** Only networks whose variables have these values. */
  readonly where?: WantedValues;
  /** @defaultValue "together" */
  readonly mode?: SourceMode;
}

/**
 * How adversarial examples made on some networks transfer to the networks of a group, which differ in one
 * variable only; options that are missing have the defaults of `measureAttack`.
 */
export interface AttackMeasurement extends NetworkMeasurement, AttackChoice {
  readonly kind: "attack";
  /** The variable in which the networks that are attacked together differ. @defaultValue "seed" */
  readonly across?: string;
  /** What examples are made on, by the name of the source. */
  readonly sources: Readonly<Record<string, SourceChoice>>;
}
