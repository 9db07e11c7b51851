import type { PairLayout } from "@isthmus/data";
import type { ParetoChoice } from "@isthmus/ensemble";
import type { OptimizerSpec, ScheduleSpec } from "@isthmus/training";

/**
 * The front of networks for two tasks, the digits of two images on one, trained in one run, beside networks
 * that are each trained on a weighted sum; options that are missing have the defaults of `comparePareto`.
 * Networks are trained by the measurement itself.
 */
export interface ParetoMeasurement extends ParetoChoice {
  readonly kind: "pareto";
  /** Short string of the network, which gets a head for each task. */
  readonly net: string;
  /** Name of the images to train on, of which two are put into one. */
  readonly data: string;
  /** Name of the images to measure on. */
  readonly testData: string;
  /** How two images become one. @defaultValue "overlaid" */
  readonly layout?: PairLayout;
  /** Seed of weights, shares and the order of examples; images are put together by the seed of the study. */
  readonly seed: number;
  readonly epochs: number;
  readonly batch?: number;
  readonly optimizer?: OptimizerSpec;
  readonly schedule?: ScheduleSpec;
}
