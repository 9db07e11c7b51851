import {
  type Checkpoint,
  composeCheckpoint,
  formatShape,
  MismatchError,
  sameShape,
  type TensorPlace,
} from "@isthmus/core";

/** Beginning of the names of averages of weights, which training of latent diffusion models keeps. */
const AVERAGES = "model_ema.";

/** Beginning of the names of the weights that are averaged. */
const WEIGHTS = "model.";

/** Choices for averages of weights: they are left out, or used in place of the weights. */
export const AVERAGES_USES = ["drop", "use"] as const;

/**
 * Returns a diffusion model without the averages of its weights (EMA) that its training kept beside them,
 * lazily. `drop` leaves them out; `use` puts them in place of the weights first, in their own element types.
 *
 * The average of `model.diffusion_model.out.2.bias` is named without dots, as
 * `model_ema.diffusion_modelout2bias`.
 * @throws MismatchError if there are no averages, or `use` finds an average of no weight, or of another shape
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createCheckpoint, createTensor } from "@isthmus/core";
 * import { takeAverages } from "@isthmus/recipe";
 *
 * const tensor = (x: number) => createTensor("f32", [1], Float32Array.of(x));
 * const names = { "model.diffusion_model.out.2.bias": 1, "model_ema.diffusion_modelout2bias": 2 };
 * const entries = Object.entries(names).map(([name, x]) => [name, tensor(x)] as const);
 * const model = takeAverages(createCheckpoint(new Map(entries)), "use");
 * assert.deepEqual([...model.tensors.keys()], ["model.diffusion_model.out.2.bias"]);
 * assert.deepEqual((await model.read("model.diffusion_model.out.2.bias")).data, Float32Array.of(2));
 * ```
 */
export function takeAverages(model: Checkpoint, use: (typeof AVERAGES_USES)[number]): Checkpoint {
  const averages = new Set([...model.tensors.keys()].filter((name) => name.startsWith(AVERAGES)));
  if (averages.size === 0) {
    throw new MismatchError(
      `Cannot ${use} averages of weights in "${model.source}" as it must have tensors named ${AVERAGES}*: it has none; leave --ema out`,
      { parameters: [] },
    );
  }
  const places = new Map<string, TensorPlace>();
  const left = new Set(averages);
  for (const name of model.tensors.keys()) {
    if (averages.has(name)) continue;
    const average = AVERAGES + name.slice(WEIGHTS.length).replaceAll(".", "");
    const isAveraged = use === "use" && name.startsWith(WEIGHTS) && left.delete(average);
    if (isAveraged) assertSameShape(model, name, average);
    places.set(name, { checkpoint: model, name: isAveraged ? average : name });
  }
  const [stray] = [...left].filter((name) => !/^model_ema\.(decay|num_updates)$/.test(name));
  if (use === "use" && stray !== undefined) {
    throw new MismatchError(
      `Cannot use averages of weights in "${model.source}" as each must be that of a weight: "${stray}" is of none`,
      { parameters: [stray] },
    );
  }
  return composeCheckpoint(places, { source: model.source, metadata: model.metadata });
}

function assertSameShape({ tensors, source }: Checkpoint, name: string, average: string): void {
  const [shape = [], other = []] = [name, average].map((one) => tensors.get(one)?.shape);
  if (sameShape(shape, other)) return;
  throw new MismatchError(
    `Cannot use averages of weights in "${source}" as they must have the shapes of the weights: "${name}" is ${formatShape(shape)}, and "${average}" ${formatShape(other)}`,
    { parameters: [name, average] },
  );
}
