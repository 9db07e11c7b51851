import { at, type Checkpoint, type DType, entry, sameShape, sizeOf } from "@isthmus/core";
import { findAdapterKind } from "@isthmus/merging";
import type { NetworkTraits } from "./comparison.ts";
import { readInputs } from "./made-of.ts";
import type { ModelFacts } from "./model-facts.ts";
import { findQuantizedForm } from "./quantized-form.ts";
import type { TensorSurvey } from "./survey-tensor.ts";
import { findEmbedding, findHead } from "./token-names.ts";

/** Number of elements of embedding and head that are compared to find out whether they are one matrix. */
const TIED_SAMPLE = 4096;

/**
 * Collects the properties of one network.
 * @param index - position of the network among the surveyed networks
 */
export async function collectTraits(
  network: Checkpoint,
  index: number,
  { surveys, facts }: { readonly surveys: readonly TensorSurvey[]; readonly facts: ModelFacts | null },
): Promise<NetworkTraits> {
  const { source, tensors } = network;
  const names = [...tensors.keys()];
  const embedding = findEmbedding(network);
  const dtypes = countTypes(network);
  const kind = findAdapterKind(names);
  return {
    source,
    tensors: tensors.size,
    dtypes,
    facts,
    parameters: [...tensors.values()].reduce((total, { shape }) => total + sizeOf(shape), 0),
    quantized: findQuantizedForm(network) ?? saidToBeQuantized(facts),
    ...describeNumbers(surveys, index),
    adapter: facts?.adapter === true || kind?.isWithNetwork === false,
    unmerged: kind?.isWithNetwork === true ? kind.tensor : null,
    madeOf: readInputs(network),
    tied: await isTied(network, embedding),
    vocabulary:
      embedding === undefined
        ? null
        : { tensor: embedding, rows: at(entry(tensors, embedding, "tensor").shape, 0, "size") },
  };
}

function countTypes({ tensors }: Checkpoint): NetworkTraits["dtypes"] {
  const counts = new Map<DType, number>();
  for (const { dtype } of tensors.values()) counts.set(dtype, (counts.get(dtype) ?? 0) + 1);
  return Object.fromEntries(counts);
}

function saidToBeQuantized(facts: ModelFacts | null): NetworkTraits["quantized"] {
  return facts === null || facts.quantization === null
    ? null
    : { scheme: facts.quantization, tensor: "config.json" };
}

function describeNumbers(
  surveys: readonly TensorSurvey[],
  index: number,
): Pick<NetworkTraits, "coarse" | "nonFinite"> {
  const coarse = { matrices: 0, of: 0 };
  const nonFinite: { tensor: string; count: number }[] = [];
  for (const survey of surveys) {
    const member = survey.members.indexOf(index);
    if (member < 0) continue;
    const count = at(survey.nonFinite, member, "count");
    if (count > 0) nonFinite.push({ tensor: survey.name, count });
    if (survey.coarse === null) continue;
    coarse.of++;
    if (at(survey.coarse, member, "network")) coarse.matrices++;
  }
  return { coarse, nonFinite };
}

/**
 * Checks whether the head equals the embedding in the elements that are compared; null if the network lacks
 * either.
 */
async function isTied(network: Checkpoint, embedding: string | undefined): Promise<boolean | null> {
  const head = findHead(network);
  if (embedding === undefined || head === undefined) return null;
  const [one, two] = [embedding, head].map((name) => entry(network.tensors, name, "tensor"));
  if (one === undefined || two === undefined || !sameShape(one.shape, two.shape)) return false;
  const end = Math.min(sizeOf(one.shape), TIED_SAMPLE);
  const [x, y] = await Promise.all([embedding, head].map((name) => network.readRange(name, 0, end)));
  return x !== undefined && y !== undefined && x.every((value, i) => value === y[i]);
}
