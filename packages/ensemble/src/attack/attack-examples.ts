import { createTensor, resolveFields, sizeOf, type Tensor } from "@isthmus/core";
import { type Architecture, assertNetwork, type DataSet } from "@isthmus/graph";
import { completeAttack, rangeOf } from "./attack-options.ts";
import { type AttackSource, attackBatch, openSource } from "./attack-source.ts";
import { createInputGradient } from "./input-gradient.ts";
import { MEASURE_ATTACK_FIELDS, type MeasureAttackChoice } from "./measure-attack.ts";
import { readBatches } from "./read-batches.ts";

const ATTEMPT = "make adversarial examples";

/**
 * Makes adversarial examples on the given networks: examples that are changed a little so that the
 * cross-entropy of the networks rises.
 * @returns all changed examples, `[examples, ...]`
 * @throws OutOfRangeError, UsageError, MismatchError, InputError, UnsupportedError, DOMException as
 *   `measureAttack`
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { attackExamples, createOnnxRuntimeEngine, openDataSet, parseNetwork } from "isthmus";
 *
 * const data = await openDataSet("mnist:test@20");
 * const { graph, initialize } = parseNetwork("mlp:8", data);
 * const source = { name: "surrogate", networks: [initialize(0)] }; // a trained one, as a rule
 * const architecture = { graph, engine: createOnnxRuntimeEngine() };
 * const changed = await attackExamples(architecture, source, data, { method: "fgsm", epsilon: 0.1 });
 * assert.deepEqual(changed.shape, [20, 1, 28, 28]);
 * ```
 */
export async function attackExamples(
  { graph, engine }: Architecture,
  source: AttackSource,
  data: DataSet,
  options: ExamplesOptions = {},
): Promise<Tensor> {
  const resolved = resolveFields(ATTEMPT, MEASURE_ATTACK_FIELDS, options, NEVER_ABORTED);
  const { batchSize, signal } = resolved;
  const attack = completeAttack(ATTEMPT, resolved);
  for (const network of source.networks) assertNetwork(graph, network);
  const gradients = await createInputGradient(ATTEMPT, { graph, engine, data }, batchSize);
  try {
    const opened = await openSource(graph, source, attack);
    const range = rangeOf(data);
    const size = sizeOf(data.exampleShape);
    const all = new Float32Array(data.size * size);
    for (const batch of readBatches(data, gradients.batch)) {
      signal?.throwIfAborted();
      const { data: changed } = await attackBatch(gradients, opened, batch, { attack, range });
      all.set((changed as Float32Array).subarray(0, batch.count * size), batch.begin * size);
    }
    return createTensor("f32", [data.size, ...data.exampleShape], all);
  } finally {
    await gradients.release();
  }
}

/** Signal that stops the making of examples. */
interface Stop {
  readonly signal?: AbortSignal | undefined;
}

const NEVER_ABORTED: Required<Stop> = { signal: undefined };

type ExamplesOptions = MeasureAttackChoice & Stop;
