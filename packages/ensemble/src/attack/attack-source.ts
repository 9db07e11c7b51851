import { at, type Checkpoint, createRandom, createTensor, type Tensor } from "@isthmus/core";
import { bindWeights, type Graph } from "@isthmus/graph";
import type { ExampleRange, ResolvedAttack } from "./attack-options.ts";
import type { AttackedBatch, InputGradient, NetworkWeights } from "./input-gradient.ts";
import { ascendInPlace, type Ball, projectInPlace, scatterInPlace } from "./perturb.ts";

/**
 * How several networks make one attack: `together` by the mean of their logits at every step; `in-turn` by
 * one of them a step, in an order drawn by the seed, as networks of a large geometric vicinity do.
 */
export const SOURCE_MODES = ["together", "in-turn"] as const;
/** How several networks make one attack, see {@link SOURCE_MODES}. */
export type SourceMode = (typeof SOURCE_MODES)[number];

/** Networks that adversarial examples are made on: one, or several. */
export interface AttackSource {
  /** For the table. */
  readonly name: string;
  readonly networks: readonly Checkpoint[];
  /** @defaultValue "together" */
  readonly mode?: SourceMode;
}

/** Networks that examples are made on, and networks that they are shown to. */
export interface AttackedNetworks {
  readonly sources: readonly AttackSource[];
  readonly targets: readonly Checkpoint[];
}

/** A source with its weights in memory. */
export interface OpenedSource {
  readonly networks: readonly NetworkWeights[];
  readonly mode: SourceMode;
}

/** Reads the weights of a source, in the order that its networks attack in. */
export async function openSource(
  graph: Graph,
  { networks, mode = "together" }: AttackSource,
  { seed }: ResolvedAttack,
): Promise<OpenedSource> {
  const order = Uint32Array.from(networks, (_, i) => i);
  if (mode === "in-turn") createRandom(seed, "networks in turn").shuffleInPlace(order);
  const opened: NetworkWeights[] = [];
  for (const index of order) opened.push(await bindWeights(graph, at(networks, index, "network")));
  return { networks: opened, mode };
}

/** A batch of examples, and where it begins among all. */
export interface PlacedBatch extends AttackedBatch {
  /** Place of the first example, which seeds random starts. */
  readonly begin: number;
}

/**
 * Makes adversarial examples of a batch. A single step takes all networks together, in whatever mode, as no
 * others follow.
 * @returns the changed examples
 */
export async function attackBatch(
  gradients: InputGradient,
  source: OpenedSource,
  { inputs, labels, begin }: PlacedBatch,
  { attack, range }: { readonly attack: ResolvedAttack; readonly range: ExampleRange },
): Promise<Tensor> {
  const { norm, steps, seed } = attack;
  const originals = inputs.data as Float32Array;
  const changed = originals.slice();
  const size = changed.length / labels.length;
  const ball: Ball = { norm, radius: attack.epsilon * range.unit, channels: range.channels };
  const rowOf = (numbers: Float32Array, row: number) => numbers.subarray(row * size, (row + 1) * size);
  if (attack.randomStart) {
    for (let row = 0; row < labels.length; row++)
      scatterInPlace(rowOf(changed, row), ball, createRandom(seed, `start of example ${begin + row}`));
  }
  const tensor = createTensor("f32", inputs.shape, changed);
  for (let step = 0; step < steps; step++) {
    const networks = attack.steps > 1 ? networksOf(source, step) : source.networks;
    const slopes = await meanGradient(gradients, networks, { inputs: tensor, labels });
    for (let row = 0; row < labels.length; row++) {
      const example = rowOf(changed, row);
      ascendInPlace(example, rowOf(slopes, row), { ...ball, size: attack.stepSize * range.unit });
      projectInPlace(example, rowOf(originals, row), ball);
    }
  }
  return tensor;
}

const networksOf = ({ networks, mode }: OpenedSource, step: number): readonly NetworkWeights[] =>
  mode === "in-turn" ? [at(networks, step % networks.length, "network")] : networks;

/** Computes the gradient of the cross-entropy of the mean logits of networks, up to a positive factor. */
async function meanGradient(
  gradients: InputGradient,
  networks: readonly NetworkWeights[],
  batch: AttackedBatch,
): Promise<Float32Array> {
  const [only, ...rest] = networks;
  if (only !== undefined && rest.length === 0) return gradients.gradient(only, batch);
  const logits: Float32Array[] = [];
  for (const network of networks) logits.push(await gradients.logits(network, batch));
  const total = sumOf(logits);
  const slopes: Float32Array[] = [];
  for (const [i, network] of networks.entries()) {
    const scores = at(logits, i, "network");
    const others = total.map((sum, k) => sum - (scores[k] as number));
    slopes.push(await gradients.gradient(network, batch, { others, networks: networks.length }));
  }
  return sumOf(slopes);
}

/** Computes the mean logits of a source's networks. */
export async function meanLogits(
  gradients: InputGradient,
  { networks }: OpenedSource,
  batch: AttackedBatch,
): Promise<Float32Array> {
  const logits: Float32Array[] = [];
  for (const network of networks) logits.push(await gradients.logits(network, batch));
  return sumOf(logits).map((sum) => sum / networks.length);
}

function sumOf(arrays: readonly Float32Array[]): Float32Array {
  const total = Float32Array.from(at(arrays, 0, "array"));
  for (const array of arrays.slice(1)) {
    for (let i = 0; i < total.length; i++) total[i] = (total[i] as number) + (array[i] as number);
  }
  return total;
}
