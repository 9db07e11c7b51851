/** One setting of a merge method. */
export interface Setting {
  readonly parameters: Readonly<Record<string, number | string | boolean>>;
  /** Whether the base is merged as one of the networks, too. @defaultValue "fine-tuned" */
  readonly networks?: "fine-tuned" | "with base";
}

const SCALES = [0.3, 0.5, 0.7, 1];

/** The sums of task vectors, which is what methods without a mean of their own scale. */
const scaled = (parameters: Setting["parameters"] = {}): Setting[] =>
  SCALES.map((lambda) => ({ parameters: { normalize: false, weight: 1, lambda, ...parameters } }));

/** Settings that are tried, by method. */
export const SETTINGS: Readonly<Record<string, readonly Setting[]>> = {
  linear: [{ parameters: {} }],
  task_arithmetic: scaled(),
  ties: [0.2, 0.5].flatMap((density) => scaled({ density })),
};

/** Methods that are no merge of three networks of different tasks, and why. */
export const NOT_TRIED: Readonly<Record<string, string>> = {
  slerp: "joins two networks",
};
