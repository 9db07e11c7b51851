import type { WeightConstraint } from "../train/weight-constraint.ts";
import type { ControlVariates, ResolvedControlVariates } from "./control-variates.ts";
import type { CurriculumOptions, ResolvedCurriculum } from "./curriculum.ts";
import type { ProximalOptions } from "./proximal.ts";
import type { ResolvedWasserstein, WassersteinOptions } from "./wasserstein.ts";

/** Options of `train` alone, most for the clients of a federation; each is left out by default. */
export interface LocalTrainingOptions {
  /** A term that holds the weights near others (FedProx). @defaultValue none */
  readonly proximal?: ProximalOptions | undefined;
  /** Corrections of gradients by what other clients' gradients are (SCAFFOLD). @defaultValue none */
  readonly controlVariates?: ControlVariates | undefined;
  /** Examples come by their loss, a few at first. @defaultValue all, in random order */
  readonly curriculum?: CurriculumOptions | undefined;
  /** Examples are moved to where they are hard before each step (WAFL). @defaultValue not at all */
  readonly wasserstein?: WassersteinOptions | undefined;
  /** A rule that weights obey after every step, such as a mask. @defaultValue none */
  readonly constraint?: WeightConstraint | undefined;
}

/** These options with all defaults filled in; undefined where one does nothing. */
export interface ResolvedLocalTraining {
  readonly proximal: ProximalOptions | undefined;
  readonly controlVariates: ResolvedControlVariates | undefined;
  readonly curriculum: ResolvedCurriculum | undefined;
  readonly wasserstein: ResolvedWasserstein | undefined;
  readonly constraint: WeightConstraint | undefined;
}
