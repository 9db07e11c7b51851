/** A network on a front: its shares of the tasks, and how good it is at each. */
export interface FrontPoint {
  /** How much each task counts, of sum 1. */
  readonly shares: readonly number[];
  /** Mean cross-entropy of each task, in nats. */
  readonly losses: readonly number[];
  /** Share of examples that each task classifies correctly, in `[0, 1]`. */
  readonly accuracies: readonly number[];
}

/** Networks of one kind, and the volume of what they are better than. */
export interface Front {
  readonly points: readonly FrontPoint[];
  /** Hypervolume of their losses, up to the reference: 0 if none is better than it at every task. */
  readonly hypervolume: number;
  /** Steps that all of them took. */
  readonly steps: number;
}

/** Fronts of networks for several tasks, measured on the same examples. */
export interface ParetoResult {
  readonly kind: "pareto";
  readonly tasks: readonly string[];
  /** Networks on the simplex between one network a task, trained in one run. */
  readonly manifold: Front;
  /** Networks that were each trained on a weighted sum of the tasks' losses; absent if none were. */
  readonly scalarised?: Front;
  /** Hypervolume of all networks of both fronts together; absent if there is one front alone. */
  readonly together?: number;
  /** Losses from which on nothing counts: the logarithm of the classes, which a guess has. */
  readonly reference: readonly number[];
  readonly trainedOn: string;
  readonly data: string;
  readonly examples: number;
  readonly seed: number;
  readonly engine: string;
}
