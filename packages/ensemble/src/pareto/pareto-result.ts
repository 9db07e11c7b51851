/** Network on a front: its shares of the tasks, and its loss and accuracy at each. */
export interface FrontPoint {
  /** Weights of the tasks, which add up to 1. */
  readonly shares: readonly number[];
  /** Mean cross-entropy of each task, in nats. */
  readonly losses: readonly number[];
  /** Share of examples that each task classifies correctly, in `[0, 1]`. */
  readonly accuracies: readonly number[];
}

/** Networks of one kind, and their hypervolume. */
export interface Front {
  /** Networks of the front, in the order of their shares. */
  readonly points: readonly FrontPoint[];
  /**
   * Hypervolume of the networks' losses, up to the reference: 0 if no network is better than the reference at
   * every task.
   */
  readonly hypervolume: number;
  /** Number of training steps of all networks together. */
  readonly steps: number;
}

/** Fronts of networks for several tasks, measured on the same examples. */
export interface ParetoResult {
  /** Kind of the result. */
  readonly kind: "pareto";
  /** Names of the tasks, which are the names of the arrays with their labels. */
  readonly tasks: readonly string[];
  /** Networks on the simplex between one network a task, trained in one run. */
  readonly manifold: Front;
  /** Networks that were each trained on a weighted sum of the tasks' losses; absent if there are none. */
  readonly scalarised?: Front;
  /** Hypervolume of all networks of both fronts together; absent if there is only one front. */
  readonly together?: number;
  /**
   * Reference of the hypervolume: the loss of a guess, which is the logarithm of the number of classes, for
   * each task.
   */
  readonly reference: readonly number[];
  /** Name of the examples on which networks were trained. */
  readonly trainedOn: string;
  /** Name of the examples on which fronts were measured. */
  readonly data: string;
  /** Number of these examples. */
  readonly examples: number;
  /** Seed of the training. */
  readonly seed: number;
  /** Name of the engine on which the networks ran. */
  readonly engine: string;
}
