import type { DimensionSearchChoice } from "@isthmus/subspace";
import type { OptimizerSpec, ScheduleSpec } from "@isthmus/training";

/** What networks are trained to say of examples: their labels, or the same labels in another order. */
export const LABEL_CHOICES = ["given", "shuffled"] as const;

/** How the smallest subspace is searched for. */
export type DimensionChoice = DimensionSearchChoice & {
  /** Each decides a start, a matrix, and the order of examples. */
  readonly seeds?: readonly number[];
  readonly epochs?: number;
  readonly batch?: number;
  readonly optimizer?: OptimizerSpec;
  /** How the learning rate changes in subspaces. */
  readonly schedule?: ScheduleSpec;
  /** How it changes in full trainings. */
  readonly baselineSchedule?: ScheduleSpec;
};

/**
 * The smallest random subspace in which a network can be trained; options that are missing have the defaults
 * of `measureIntrinsicDimension`. It trains networks of its own, and measures none of a group.
 */
export interface IntrinsicDimensionMeasurement extends DimensionChoice {
  readonly kind: "intrinsic-dimension";
  /** Short string of a network. */
  readonly net: string;
  /** Name of the examples to train on. */
  readonly trainOn: string;
  /** Name of the examples that accuracies are measured on; with shuffled labels it is the trained ones. */
  readonly data: string;
  /** @defaultValue "given" */
  readonly labels?: (typeof LABEL_CHOICES)[number];
}
