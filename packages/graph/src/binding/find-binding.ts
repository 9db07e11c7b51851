import { type Checkpoint, createCheckpoint, sameShape, type Tensor } from "@isthmus/core";
import type { Graph } from "../ir/graph.ts";
import { type FoldedConvolution, findFoldedNorm } from "./find-folded-norm.ts";
import { TensorPool } from "./tensor-pool.ts";
import { tensorsOf, type UnboundWeight, type WeightBinding, type WeightSource } from "./weight-binding.ts";

/**
 * Finds out which tensors of a checkpoint the weights of a graph are: by name, and where an exporter renamed, transposed or
 * reshaped them or folded a batch norm into them, by the values that the graph's file carries.
 *
 * @param embedded - weights the graph's file carries, as `readGraph` returns them; with none, names alone decide
 * @param checkpoint - the network the graph was exported from; of another network, names alone can tell
 */
export async function findBinding(
  graph: Graph,
  embedded: ReadonlyMap<string, Tensor>,
  checkpoint: Checkpoint,
): Promise<WeightBinding> {
  const search = new BindingSearch(graph, createCheckpoint(embedded), checkpoint);
  await search.byName();
  await search.byValue();
  await search.throughNorms();
  return search.result();
}

/** How many names are listed of several that would do. */
const SHOWN = 3;

class BindingSearch {
  readonly #graph: Graph;
  readonly #embedded: Checkpoint;
  readonly #checkpoint: Checkpoint;
  readonly #pool: TensorPool;
  readonly #sources = new Map<string, WeightSource>();
  readonly #reasons = new Map<string, string>();

  constructor(graph: Graph, embedded: Checkpoint, checkpoint: Checkpoint) {
    this.#graph = graph;
    this.#embedded = embedded;
    this.#checkpoint = checkpoint;
    this.#pool = new TensorPool(checkpoint);
  }

  /**
   * Names decide unless the values are others, as those of a kernel that a norm was folded into. Where no value agrees, the
   * checkpoint is another network than the file carries, and there is nothing but names.
   */
  async byName(): Promise<void> {
    const named = [...this.#graph.weights].flatMap(([name, { shape }]) => {
      const info = this.#checkpoint.tensors.get(name);
      return info !== undefined && sameShape(info.shape, shape) ? [name] : [];
    });
    const agreeing: string[] = [];
    const unknown: string[] = [];
    for (const name of named) {
      if (!this.#embedded.tensors.has(name)) unknown.push(name);
      else if (await this.#pool.matches(name, await this.#embedded.read(name), false)) agreeing.push(name);
    }
    const bound = agreeing.length === 0 ? named : [...agreeing, ...unknown];
    for (const name of bound) this.#bind(name, { kind: "tensor", tensor: name });
  }

  async byValue(): Promise<void> {
    for (const name of this.#open()) {
      const own = await this.#embedded.read(name);
      const found = await this.#pool.find(own);
      const [first] = found;
      if (found.length > 1) {
        const names = found.slice(0, SHOWN).map(({ tensor }) => `"${tensor}"`);
        this.#reasons.set(name, `several tensors have its values: ${names.join(", ")}`);
      } else if (first !== undefined) {
        this.#bind(name, { kind: first.transposed ? "transposed" : "tensor", tensor: first.tensor });
      }
    }
  }

  async throughNorms(): Promise<void> {
    const open = new Set(this.#open());
    for (const { op, inputs } of this.#graph.nodes) {
      const [, kernel = "", bias = ""] = inputs;
      if (op !== "Conv" || !open.has(kernel) || !this.#embedded.tensors.has(bias)) continue;
      const [own, ownBias] = await Promise.all([this.#embedded.read(kernel), this.#embedded.read(bias)]);
      const found = await findFoldedNorm(this.#pool, { kernel: own, bias: ownBias });
      if (found === undefined) continue;
      this.#bindFolded([kernel, bias], found);
    }
  }

  #bindFolded([kernel, bias]: readonly [string, string], found: FoldedConvolution): void {
    this.#bind(kernel, { kind: "folded-kernel", tensor: found.kernel, norm: found.norm });
    this.#bind(bias, { kind: "folded-bias", tensor: found.bias, norm: found.norm });
  }

  #bind(name: string, source: WeightSource): void {
    this.#sources.set(name, source);
    this.#reasons.delete(name);
    for (const tensor of tensorsOf(source)) this.#pool.take(tensor);
  }

  /** Weights without a source whose values are known. */
  #open(): string[] {
    return [...this.#graph.weights.keys()].filter(
      (name) => !this.#sources.has(name) && this.#embedded.tensors.has(name),
    );
  }

  result(): WeightBinding {
    const unbound: UnboundWeight[] = [];
    const renamed: string[] = [];
    for (const name of this.#graph.weights.keys()) {
      const source = this.#sources.get(name);
      if (source === undefined) unbound.push({ weight: name, reason: this.#reasonFor(name) });
      else if (source.kind !== "tensor" || source.tensor !== name) renamed.push(name);
    }
    return { sources: this.#sources, renamed, unbound, unused: this.#pool.unused() };
  }

  #reasonFor(name: string): string {
    const known = this.#reasons.get(name);
    if (known !== undefined) return known;
    if (this.#embedded.tensors.has(name)) return "no tensor has its values";
    if (this.#checkpoint.tensors.has(name)) return "the tensor of that name has another shape";
    return "no tensor has its name, and the graph's file does not carry its values";
  }
}
