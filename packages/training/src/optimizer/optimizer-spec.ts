/** Options that all optimisers have in common. */
export interface UpdateRules {
  /**
   * Weight decay, at least 0: it is added to the gradient as `weightDecay * w`, as PyTorch does for SGD and
   * Adam; AdamW shrinks the weight by `learningRate * weightDecay` instead.
   */
  readonly weightDecay?: number;
  /** Fewest axes of parameters that decay: 2 excludes biases and the scales of norms. */
  readonly decayFromRank?: number;
  /** Names of parameters that do not decay; `*` matches any characters. @defaultValue none */
  readonly decayExcept?: readonly string[];
  /**
   * Largest norm of all gradients together: gradients of a larger norm are scaled down to it, as by
   * `clip_grad_norm_`; null clips nothing.
   * @defaultValue null
   */
  readonly clipNorm?: number | null;
}

/** Stochastic gradient descent. */
export interface SgdSpec extends UpdateRules {
  /** Kind of the optimiser. */
  readonly kind: "sgd";
  /** Share of the last step's direction in the next one, in `[0, 1)`. @defaultValue 0 */
  readonly momentum?: number;
  /** Whether the momentum looks ahead by one step. @defaultValue false */
  readonly nesterov?: boolean;
}

/** Options that Adam and AdamW have in common. */
export interface AdamRules extends UpdateRules {
  /** Decay of the running mean of gradients, in `[0, 1)`. @defaultValue 0.9 */
  readonly beta1?: number;
  /** Decay of the running mean of squared gradients, in `[0, 1)`. @defaultValue 0.999 */
  readonly beta2?: number;
  /** Number added to the root of the second moment. @defaultValue 1e-8 */
  readonly epsilon?: number;
}

/** Adam, with weight decay as part of the gradient. @see Kingma and Ba, Adam, 2015, algorithm 1 */
export interface AdamSpec extends AdamRules {
  /** Kind of the optimiser. */
  readonly kind: "adam";
}

/**
 * Adam with decoupled weight decay.
 * @see Loshchilov and Hutter, Decoupled weight decay regularization, 2019, algorithm 2
 */
export interface AdamWSpec extends AdamRules {
  /** Kind of the optimiser. */
  readonly kind: "adamw";
}

/** An optimiser that uses one gradient a step. */
export type BaseOptimizerSpec = SgdSpec | AdamSpec | AdamWSpec;

/**
 * Sharpness-aware minimisation around any other optimiser: the gradient is taken at `w + rho g / |g|`. A step
 * costs as much as two steps without it.
 * @see Foret et al., Sharpness-aware minimization for efficiently improving generalization, 2021, algorithm 1
 */
export interface SamSpec {
  /** Kind of the optimiser. */
  readonly kind: "sam";
  /** Distance at which the gradient is taken, more than 0. @defaultValue 0.05 */
  readonly rho?: number;
  /** The optimiser that uses this gradient. */
  readonly base: BaseOptimizerSpec;
}

/** An optimiser, as plain data: how parameters change in a step. The schedule decides the learning rate. */
export type OptimizerSpec = BaseOptimizerSpec | SamSpec;

type Defaults<T> = Required<Omit<T, "kind" | "base">>;

/** Defaults of {@link SgdSpec}. */
export const SGD_DEFAULTS: Defaults<SgdSpec> = {
  momentum: 0,
  nesterov: false,
  weightDecay: 0,
  decayFromRank: 0,
  decayExcept: [],
  clipNorm: null,
};

/** Defaults of {@link AdamSpec}. */
export const ADAM_DEFAULTS: Defaults<AdamSpec> = {
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  weightDecay: 0,
  decayFromRank: 0,
  decayExcept: [],
  clipNorm: null,
};

/** Defaults of {@link AdamWSpec}. */
export const ADAMW_DEFAULTS: Defaults<AdamWSpec> = { ...ADAM_DEFAULTS, weightDecay: 0.01, decayFromRank: 2 };

/** Defaults of {@link SamSpec}. */
export const SAM_DEFAULTS: Defaults<SamSpec> = { rho: 0.05 };
