import { type Checkpoint, excerpt, OutOfRangeError, resolveOptions, UsageError } from "@isthmus/core";
import { type OptimizerSpec, SGD_DEFAULTS } from "../optimizer/optimizer-spec.ts";

/**
 * Control variates of SCAFFOLD: each gradient `g` of a client becomes `g - c_i + c`, which removes the
 * client's deviation from the mean over all clients. `c_i` is an estimate of the client's mean gradient, `c`
 * of the mean gradient over all clients; the server keeps `c`, and each client its own `c_i`, from round to
 * round.
 *
 * They are only defined for plain SGD: `{ kind: "sgd" }` with any schedule and weight decay, which is then a
 * part of the loss and of the variates, but no momentum and no clipping; and without a proximal term.
 * @see Karimireddy et al., SCAFFOLD: Stochastic controlled averaging for federated learning, 2020, algorithm
 *   1
 */
export interface ControlVariates {
  /**
   * Variate `c` of the server, with every trained parameter under its name. @defaultValue zeros, as in the
   * first round
   */
  readonly server?: Checkpoint | undefined;
  /**
   * Variate `c_i` of the client, with every trained parameter under its name.
   * @defaultValue zeros, as for a client that takes part for the first time
   */
  readonly client?: Checkpoint | undefined;
  /**
   * Rule by which the client's next variate is computed: `I`, as the gradient of the mean loss of its
   * examples at the weights that training starts from, by one more pass over them, in which norms take their
   * running statistics and nothing is dropped; `II`, from the steps made, `c_i - c + (x - y) / (K eta)`,
   * which costs next to nothing.
   * @defaultValue "II"
   */
  readonly option?: "I" | "II" | undefined;
}

/** Defaults of {@link ControlVariates}. */
const CONTROL_VARIATES_DEFAULTS: Required<ControlVariates> = {
  server: undefined,
  client: undefined,
  option: "II",
};

/** Variates that a client sends to the server, and keeps, after a training with control variates. */
export interface ControlVariateUpdate {
  /** The client's next variate `c_i+`, for its next training. */
  readonly client: Checkpoint;
  /** Change `c_i+ - c_i` of the client's variate, whose mean over all clients the server adds to `c`. */
  readonly clientChange: Checkpoint;
  /** Change `y - x` of the trained parameters. */
  readonly weightChange: Checkpoint;
}

/** Control variates with all defaults filled in. */
export type ResolvedControlVariates = Required<ControlVariates> & { readonly option: "I" | "II" };

/**
 * Fills in the defaults of control variates, and checks that they are defined for a training.
 * @throws UsageError if an option is unknown, or the training is not by plain SGD
 * @throws OutOfRangeError if no epoch is trained, so that there is no step to compute a variate from
 */
export function resolveControlVariates(
  options: ControlVariates | undefined,
  training: { readonly optimizer: OptimizerSpec; readonly epochs: number; readonly proximal: unknown },
): ResolvedControlVariates | undefined {
  if (options === undefined) return undefined;
  const resolved = resolveOptions(ATTEMPT, CONTROL_VARIATES_DEFAULTS, options) as ResolvedControlVariates;
  if (resolved.option !== "I" && resolved.option !== "II") {
    throw new UsageError(
      `Cannot ${ATTEMPT} as "option" must be "I" or "II": it is ${excerpt(resolved.option)}`,
    );
  }
  assertPlainSgd(training.optimizer);
  if (training.proximal !== undefined) {
    throw new UsageError(
      `Cannot ${ATTEMPT} as they are estimates of gradients of the loss alone: there is a proximal term, too; leave one of both out`,
    );
  }
  if (training.epochs >= 1) return resolved;
  throw new OutOfRangeError(
    `Cannot ${ATTEMPT} as the next ones are computed from the steps made, so that "epochs" must be at least 1: it is ${training.epochs}`,
  );
}

const ATTEMPT = "train with control variates";

/**
 * Checks that a step is `learning rate x gradient`, as in algorithm 1: with momentum, earlier corrections
 * would go on acting, and the change of the weights over the learning rates would be no mean of gradients.
 */
function assertPlainSgd(optimizer: OptimizerSpec): void {
  const { kind } = optimizer;
  const { momentum, clipNorm } = kind === "sgd" ? { ...SGD_DEFAULTS, ...optimizer } : SGD_DEFAULTS;
  const is =
    kind !== "sgd"
      ? kind
      : momentum !== 0
        ? `sgd with momentum ${momentum}`
        : clipNorm !== null
          ? `sgd that clips gradients to ${clipNorm}`
          : undefined;
  if (is === undefined) return;
  throw new UsageError(
    `Cannot ${ATTEMPT} as these are defined for plain SGD only: the optimizer is ${is}; pass optimizer: { kind: "sgd" }, or leave the control variates out`,
  );
}
