import type { WeightConstraint } from "../train/weight-constraint.ts";
import type { WeightMove } from "../train/weight-move.ts";
import type { ControlVariates, ResolvedControlVariates } from "./control-variates.ts";
import type { CurriculumOptions, ResolvedCurriculum } from "./curriculum.ts";
import type { ProximalOptions } from "./proximal.ts";
import type { ResolvedWasserstein, WassersteinOptions } from "./wasserstein.ts";

/** Options of `train` alone, most for the clients of a federation; each is left out by default. */
export interface LocalTrainingOptions {
  /** Term that holds the weights near others (FedProx). @defaultValue none */
  readonly proximal?: ProximalOptions | undefined;
  /** Corrections of gradients by the mean gradients of other clients (SCAFFOLD). @defaultValue none */
  readonly controlVariates?: ControlVariates | undefined;
  /**
   * Curriculum, which adds examples by their loss, a few at first. @defaultValue none: all examples, in
   * random order
   */
  readonly curriculum?: CurriculumOptions | undefined;
  /**
   * Options for moving examples to inputs of larger loss, before each step (WAFL). @defaultValue none: they
   * are not moved
   */
  readonly wasserstein?: WassersteinOptions | undefined;
  /** Rule that weights obey after every step, such as a mask. @defaultValue none */
  readonly constraint?: WeightConstraint | undefined;
  /** Change of weights that is made after some steps. @defaultValue none */
  readonly move?: WeightMove | undefined;
}

/** Options with all defaults filled in; undefined for options that have no effect. */
export interface ResolvedLocalTraining {
  /** Term that holds the weights near others. */
  readonly proximal: ProximalOptions | undefined;
  /** Corrections of gradients by the mean gradients of other clients. */
  readonly controlVariates: ResolvedControlVariates | undefined;
  /** Curriculum, which adds examples by their loss. */
  readonly curriculum: ResolvedCurriculum | undefined;
  /** Rules for moving examples to inputs of larger loss before each step. */
  readonly wasserstein: ResolvedWasserstein | undefined;
  /** Rule that weights obey after every step. */
  readonly constraint: WeightConstraint | undefined;
  /** Change of weights that is made after some steps. */
  readonly move: WeightMove | undefined;
}
