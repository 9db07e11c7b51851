import { type Checkpoint, createCheckpoint, createRandom, entry, resolveOptions } from "@isthmus/core";
import { type Architecture, bindWeights, randomInputs, runAll, withSharedSessions } from "@isthmus/graph";
import { compareInPlace } from "../verify/compare-values.ts";
import { type TrialOptions, trialWeights, VALUE_TRIAL_DEFAULTS } from "../verify/trial-options.ts";
import { type Exchange, exchangeParts } from "./exchange-parts.ts";

/** Options of {@link verifyExchanges}. */
export interface VerifyExchangesOptions extends TrialOptions {
  /** Examples to run. @defaultValue 2 */
  readonly batch?: number;
  /** Largest error of a sum or an output, relative to its largest element. @defaultValue 1e-4 */
  readonly tolerance?: number;
}

/** Defaults of {@link VerifyExchangesOptions}; the seed has none. */
const VERIFY_EXCHANGES_DEFAULTS: Required<Omit<VerifyExchangesOptions, "seed">> = {
  weights: undefined,
  batch: 2,
  tolerance: VALUE_TRIAL_DEFAULTS.outputTolerance,
  signal: undefined,
};

/** Result of {@link verifyExchanges}. */
export interface VerifyExchangesResult {
  /** Whether every sum and every output is within tolerance. */
  readonly passed: boolean;
  /** Largest error of a sum of parts or of an output, relative to its largest element. */
  readonly maxRelativeError: number;
  /** Number of sums and outputs that were compared. */
  readonly values: number;
}

/**
 * Proves exchanges by trying them all at once: lets the parts of each change places at random, and compares
 * their sums and the outputs of the graph.
 *
 * @throws MismatchError if the weights do not fit the graph
 * @throws EngineError if the engine cannot run the graph
 */
export async function verifyExchanges(
  { graph, engine }: Architecture,
  exchanges: readonly Exchange[],
  options: VerifyExchangesOptions,
): Promise<VerifyExchangesResult> {
  const { seed, ...rest } = options;
  const { weights, batch, tolerance, signal } = resolveOptions(
    "verify exchanges",
    VERIFY_EXCHANGES_DEFAULTS,
    rest,
    ["seed"],
  );
  const bound = await trialWeights(graph, { weights, seed });
  const inputs = randomInputs(graph, batch, seed);
  const network = createCheckpoint(bound);
  const exchanged = exchangeParts(network, exchanges, randomOrders(exchanges, seed));
  const [before, after] = await withSharedSessions(engine, async (shared) => {
    const run = async (one: Checkpoint) => {
      signal?.throwIfAborted();
      return runAll(graph, shared, new Map([...inputs, ...(await bindWeights(graph, one))]));
    };
    return [await run(network), await run(exchanged)] as const;
  });
  const names = new Set([...exchanges.map(({ sum }) => sum), ...graph.outputs.map(({ name }) => name)]);
  const errors = [...names].map((name) =>
    compareInPlace(entry(before, name, "value"), entry(after, name, "value")),
  );
  const maxRelativeError = Math.max(...errors);
  return { passed: maxRelativeError <= tolerance, maxRelativeError, values: errors.length };
}

/** Draws an order of the parts of each exchange in which the first part is no longer the first. */
export function randomOrders(exchanges: readonly Exchange[], seed: number): Int32Array[] {
  const random = createRandom(seed, "exchange");
  return exchanges.map(({ parts }) => {
    const order = Int32Array.from(parts.keys());
    // Sattolo's algorithm: one cycle through all parts.
    for (let last = order.length - 1; last > 0; last--) {
      const other = Math.floor(random.uniform() * last);
      [order[last], order[other]] = [order[other] as number, order[last] as number];
    }
    return order;
  });
}
