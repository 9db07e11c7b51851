import type { AttackMethod, AttackNorm, SourceMode } from "@isthmus/ensemble";
import type { NetworkMeasurement } from "./network-measurement.ts";
import type { WantedValues } from "./wanted-values.ts";

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
