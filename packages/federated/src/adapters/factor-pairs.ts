import { type Checkpoint, entry, groupBy, sizeOf, UnsupportedError } from "@isthmus/core";
import { type AdapterFactor, findAdapterFactor, rankOf } from "@isthmus/merging";
import type { Treatment } from "../layers/treatment.ts";

/** Low-rank change of one weight, `scale * B * A`, whose factors are both shared by the clients. */
export interface FactorPair {
  /** Name of the module, as the names of its tensors begin. */
  readonly module: string;
  /** Name of `A`, `[rank, in, ...]`. */
  readonly a: string;
  /** Name of `B`, `[out, rank, ...]`. */
  readonly b: string;
  /** Name of the numerator of the scale; undefined if the file has none. */
  readonly alpha: string | undefined;
  /** Rank in the global network. */
  readonly rank: number;
}

/** Names of lengths of rows, by which DoRA multiplies a weight after the change is added. */
const LENGTHS = /^\.(lora_magnitude_vector(\..+)?|dora_scale)$/;

/** Factors of the adapters in a file, by the name of their module. */
function groupFactors(names: Iterable<string>): ReadonlyMap<string, readonly NamedFactor[]> {
  const factors = [...names].flatMap((name) => {
    const factor = findAdapterFactor(name);
    return factor === undefined ? [] : [{ ...factor, name }];
  });
  return groupBy(factors, ({ module }) => module);
}

interface NamedFactor extends AdapterFactor {
  readonly name: string;
}

/**
 * Returns the names of tensors that hold the numerator of an adapter's scale: tensors named `alpha` beside
 * factors of LoRA. No client trains these numbers.
 */
export function scaleTensors(names: Iterable<string>): ReadonlySet<string> {
  const modules = [...groupFactors(names).values()];
  return new Set(
    modules
      .filter((factors) => factors.some(({ role }) => role === "a" || role === "b"))
      .flatMap((factors) => factors.filter(({ role }) => role === "alpha").map(({ name }) => name)),
  );
}

/**
 * Finds the changes by LoRA whose two factors are shared: the server aggregates their products. If one factor
 * is kept, the mean of the other one is exact.
 * @param treatments - treatment of every tensor
 * @throws UnsupportedError if factors of a change are shared that the server can only treat one by one
 * @throws MismatchError if the two matrices of a change do not fit each other
 */
export function findFactorPairs(
  { source, tensors }: Checkpoint,
  treatments: ReadonlyMap<string, Treatment>,
): readonly FactorPair[] {
  const isSent = (name: string) => (treatments.get(name) ?? "keep") !== "keep";
  const pairs: FactorPair[] = [];
  for (const [module, factors] of groupFactors(tensors.keys())) {
    const sent = factors.filter(({ name }) => isSent(name));
    if (sent.length < 2) continue;
    const [a, b] = (["a", "b"] as const).map((role) => sent.find((factor) => factor.role === role)?.name);
    const isPair = sent.length === 2 && sent.every(({ name }) => treatments.get(name) === "share");
    if (a === undefined || b === undefined || !isPair) throw separateError(source, module, sent);
    const lengths = [...tensors.keys()].find(
      (name) => name.startsWith(module) && LENGTHS.test(name.slice(module.length)) && isSent(name),
    );
    if (lengths !== undefined) throw lengthsError(source, module, lengths);
    const rank = rankOf(source, entry(tensors, a, "tensor"), entry(tensors, b, "tensor"), module);
    pairs.push({ module, a, b, alpha: factors.find(({ role }) => role === "alpha")?.name, rank });
  }
  return pairs;
}

/** Returns the names of all factors of pairs, whose elements have no meaning by themselves. */
export function namesOfFactors(pairs: readonly FactorPair[]): ReadonlySet<string> {
  return new Set(pairs.flatMap(({ a, b }) => [a, b]));
}

function separateError(source: string, module: string, sent: readonly NamedFactor[]): UnsupportedError {
  const endings = sent.map(({ name }) => name.slice(module.length));
  return new UnsupportedError(
    `Cannot aggregate "${source}" as the change of "${module}" by an adapter is a product of ${endings.map((ending) => `"${ending}"`).join(", ")}, and the mean of factors is not the mean of products: share both factors of LoRA, keep all but one of them with the clients by patterns of layers, as "*${endings[0]}" keep, which is exact if no client changes these, or let clients send whole networks with the adapter applied`,
    { feature: module },
  );
}

function lengthsError(source: string, module: string, lengths: string): UnsupportedError {
  return new UnsupportedError(
    `Cannot aggregate "${source}" as the change of "${module}" must be the product of two matrices: "${lengths}" are learned lengths of rows (DoRA), by which the whole weight is multiplied; keep them with the clients by patterns of layers, as "*${lengths.slice(module.length)}" keep`,
    { feature: lengths },
  );
}

/**
 * Returns the rank of a pair in a checkpoint that may have another one than the global network; undefined if
 * its matrices do not fit each other.
 */
export function rankIn({ tensors }: Checkpoint, { a, b }: FactorPair): number | undefined {
  const [rows, columns] = [tensors.get(a)?.shape, tensors.get(b)?.shape];
  const [rank] = rows ?? [];
  if (rank === undefined || rank < 1 || columns === undefined || columns.length < 2) return undefined;
  return columns[1] === rank && sizeOf(columns.slice(1)) === rank ? rank : undefined;
}

/**
 * Returns a checkpoint with the shapes that its factors would have at the ranks of the global network, for
 * comparisons of structures; nothing can be read from it at other ranks. Factors that do not fit each other
 * keep their shapes.
 */
export function atRanksOf(checkpoint: Checkpoint, pairs: readonly FactorPair[]): Checkpoint {
  const tensors = new Map(checkpoint.tensors);
  for (const pair of pairs) {
    if (rankIn(checkpoint, pair) === undefined) continue;
    for (const [name, axis] of [
      [pair.a, 0],
      [pair.b, 1],
    ] as const) {
      const { dtype, shape } = entry(tensors, name, "tensor");
      tensors.set(name, { dtype, shape: shape.map((extent, i) => (i === axis ? pair.rank : extent)) });
    }
  }
  return { ...checkpoint, tensors };
}
