import {
  at,
  type Checkpoint,
  resolveOptions,
  sumOf,
  type Tensor,
  UsageError,
  withTensors,
} from "@isthmus/core";
import type { Architecture, DataSet } from "@isthmus/graph";
import { createProducts, type Matrix } from "@isthmus/linear-algebra";
import { columnsOf, discoverEqualRouters, type RouterLayer, routerTensors } from "./discover-routers.ts";
import { assertFitOptions, FIT_ROUTERS_DEFAULTS, type FitRoutersOptions } from "./fit-routers-options.ts";
import { forceExpert } from "./force-expert.ts";
import { regressRouters } from "./regress-routers.ts";

/** A router that was fitted, and how it did on the held examples. */
export interface FittedRouter {
  /** Name of its experts. */
  readonly layer: string;
  /** Name of its weight. */
  readonly weight: string;
  /** Shares of the held tokens of each expert's text whose largest score is that expert's, by expert. */
  readonly accuracies: readonly number[];
  /** Mean of these shares. */
  readonly accuracy: number;
  /**
   * Mean cross-entropy of the expert on held tokens, in nats; `log(experts)` for a router that knows nothing.
   */
  readonly loss: number;
  /** Number by which the scores of the regression, or of the refined router, were multiplied. */
  readonly scale: number;
}

/** Result of {@link fitRouters}. */
export interface FitRoutersResult {
  /** Mixture with the new routers, in the element types of the mixture. */
  readonly mixture: Checkpoint;
  /** Routers in the order of layers. */
  readonly routers: readonly FittedRouter[];
  /** Number of tokens of each expert's text that were fitted, by expert. */
  readonly tokens: readonly number[];
}

/**
 * Finds the routers of a mixture of experts in closed form, by ridge regression from hidden states to the
 * expert whose text they are from (DUME). Nothing else of the mixture changes.
 *
 * The scores of a regression lie in about `[0, 1]`, so that a softmax of them is nearly uniform. They are
 * multiplied by the number that minimises the cross-entropy of the expert on the held examples, which is a
 * convex problem in one unknown. DUME divides by a temperature that users choose.
 *
 * Source: Fanì and Ersoy, Training-free dynamic upcycling of expert language models, 2026; {@link
 * solveRouter} lists how we differ.
 * @param mixture - network with a tensor for every weight of the graph
 * @param texts - examples of each expert, in the order of experts
 * @throws UsageError if there are not as many texts as experts
 * @throws InputError if the data do not fit the graph, or an activation is not finite
 * @throws UnsupportedError if the graph has no routers
 * @throws OutOfRangeError if an option is out of range, or a text has less than two examples
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createTokenDataSet } from "@isthmus/data";
 * import { createOnnxRuntimeEngine } from "@isthmus/engine";
 * import { fitRouters } from "@isthmus/mixtures";
 * import { networkOfConfig } from "@isthmus/zoo";
 *
 * const { graph, initialize } = networkOfConfig({
 *   model_type: "mixtral",
 *   vocab_size: 20,
 *   hidden_size: 8,
 *   intermediate_size: 6,
 *   num_hidden_layers: 1,
 *   num_attention_heads: 2,
 *   num_key_value_heads: 1,
 *   num_local_experts: 3,
 * });
 * const texts = [0, 1, 2].map((expert) => {
 *   const ids = Uint16Array.from({ length: 96 }, (_, i) => 6 * expert + ((i * i) % 6));
 *   return createTokenDataSet(ids, { context: 8, vocabularySize: 20, name: `text ${expert}` });
 * });
 * const architecture = { graph, engine: createOnnxRuntimeEngine() };
 * const { routers, mixture } = await fitRouters(architecture, initialize(0), texts, { refine: 5 });
 * assert.equal(routers[0]?.accuracies.length, 3); // by expert, on held tokens
 * assert.equal(mixture.tensors.size, graph.weights.size);
 * ```
 */
export async function fitRouters(
  architecture: Architecture,
  mixture: Checkpoint,
  texts: readonly DataSet[],
  options: FitRoutersOptions = {},
): Promise<FitRoutersResult> {
  const resolved = resolveOptions("fit routers", FIT_ROUTERS_DEFAULTS, options);
  const { through, signal, ...rest } = resolved;
  assertFitOptions(resolved);
  const { graph, engine } = architecture;
  const routers = await discoverEqualRouters(architecture, { signal });
  assertTexts(texts, routers[0].experts);
  const groups: readonly (readonly RouterLayer[])[] =
    through === "experts" ? [routers] : routers.map((router) => [router]);
  const products = createProducts(engine, resolved.threads);
  const fitted: FittedRouter[] = [];
  const weights = new Map<string, Tensor>();
  let tokens: readonly number[] = [];
  try {
    for (const [step, group] of groups.entries()) {
      const network = withTensors(mixture, weights);
      const runs = texts.map((text, expert) => ({
        engine,
        network,
        text,
        graph: through === "experts" ? forceExpert(graph, routers, expert) : graph,
      }));
      const onProgress = (done: number) => resolved.onProgress?.({ done: (step + done) / groups.length });
      const regressed = await regressRouters(
        runs,
        group.map(({ input }) => input),
        { ...rest, signal, products, onProgress },
      );
      tokens = regressed.tokens;
      for (const [i, router] of group.entries()) {
        const { weight: solved, scale, ...judged } = at(regressed.routers, i, "router");
        for (const [name, tensor] of routerTensors(router, rowsOf(router, solved, scale)))
          weights.set(name, tensor);
        const accuracy = sumOf(judged.accuracies) / solved.rows;
        fitted.push({ layer: router.name, weight: router.weight, ...judged, accuracy, scale });
      }
    }
  } finally {
    await products.release();
  }
  return { mixture: withTensors(mixture, weights), routers: fitted, tokens };
}

/**
 * Returns a solution as the rows of a router: multiplied by a scale, with a bias of 0 if the router has one.
 */
function rowsOf(router: RouterLayer, { columns, data }: Matrix, scale: number): Float64Array {
  const length = columnsOf(router);
  const rows = new Float64Array(router.experts * length);
  for (const [place, value] of data.entries())
    rows[Math.floor(place / columns) * length + (place % columns)] = value * scale;
  return rows;
}

function assertTexts(texts: readonly DataSet[], experts: number): void {
  if (texts.length === experts) return;
  throw new UsageError(
    `Cannot fit routers as there must be one text for each of the ${experts} experts, in their order: got ${texts.length}`,
  );
}
