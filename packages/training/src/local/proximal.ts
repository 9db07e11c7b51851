import { type Checkpoint, OutOfRangeError, resolveOptions } from "@isthmus/core";

/**
 * A proximal term: training minimises `loss + mu / 2 |w - w_ref|²` over the trained parameters, so that a
 * client's network stays near the network it began with.
 * @see Li et al., Federated optimization in heterogeneous networks (FedProx), 2020, equation 2
 */
export interface ProximalOptions {
  /** Strength of the term, at least 0; 0 trains without it, to the same bytes. */
  readonly mu: number;
  /**
   * Network to stay near, usually the server's, with every trained parameter under its name.
   * @defaultValue the weights that training starts from
   */
  readonly reference?: Checkpoint | undefined;
}

/**
 * Checks a proximal term.
 * @returns the term; undefined if it has no effect
 * @throws OutOfRangeError if `mu` is out of its range
 * @throws UsageError if an option is unknown
 */
export function resolveProximal(options: ProximalOptions | undefined): ProximalOptions | undefined {
  if (options === undefined) return undefined;
  const { mu, reference } = resolveOptions<Required<ProximalOptions>>(
    "train with a proximal term",
    { mu: Number.NaN, reference: undefined },
    options,
  );
  if (!(mu >= 0 && Number.isFinite(mu))) {
    throw new OutOfRangeError(
      `Cannot train with a proximal term as "mu" must be a number of at least 0: it is ${mu}`,
    );
  }
  return mu === 0 ? undefined : { mu, reference };
}
