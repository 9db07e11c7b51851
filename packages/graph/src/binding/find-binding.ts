import { type Checkpoint, createCheckpoint, sameShape, type Tensor, toFloat32 } from "@isthmus/core";
import type { Graph } from "../ir/graph.ts";
import { isKnownBuffer } from "../ir/known-buffers.ts";
import { type FoldedLayer, findFoldedNorm, type UnfoldedLayer } from "./find-folded-norm.ts";
import { findRepeated, findSlice, findStack } from "./find-parts.ts";
import { findReparametrized } from "./find-reparametrized.ts";
import { RowFinder } from "./find-rows.ts";
import { describeFolded, type FoldableLayer, foldableLayers } from "./folded-layers.ts";
import { isConstant, sameValues } from "./same-values.ts";
import { type CarriedValues, TensorPool } from "./tensor-pool.ts";
import { tensorsOf, type WeightSource } from "./weight-source.ts";

/** A weight of a graph that no tensor of the checkpoint was found for. */
export interface UnboundWeight {
  readonly weight: string;
  readonly reason: string;
}

/** How the weights of a graph come from the tensors of a checkpoint. */
export interface WeightBinding {
  /** Where each weight comes from, by the graph's names. */
  readonly sources: ReadonlyMap<string, WeightSource>;
  /** Weights that are in the graph's file and in no checkpoint, such as tables of sines: they belong to the architecture. */
  readonly constants: readonly string[];
  /** Weights bound by their names although the graph's file carries other values for them. */
  readonly disagreeing: readonly string[];
  /** Whether the graph's file carries values of this checkpoint: it is then the one the graph was exported from. */
  readonly exported: boolean;
  readonly unbound: readonly UnboundWeight[];
  /** Floating-point tensors of the checkpoint that no weight comes from, by the network's names. */
  readonly unread: readonly string[];
  /** Tensors that have the values of another one, which the graph reads for both: tied weights. */
  readonly tied: ReadonlyMap<string, string>;
}

/**
 * Finds out which tensors of a checkpoint the weights of a graph are.
 *
 * By name, where the graph's file carries no values or the same ones. Else by value: under another name or shape, transposed, as
 * a part of a tensor or put together from several, or with a batch norm folded in. What is left then goes by name, but only if every
 * weight and every tensor is accounted for in this way, as for a graph that was exported from another network: otherwise a kernel
 * that a norm was folded into would be taken for the kernel itself.
 *
 * @param carried - weights that the graph's file carries, as `readGraph` returns them
 * @param network - the checkpoint under the network's names, as `findNames` finds them
 */
export async function findBinding(
  graph: Graph,
  carried: ReadonlyMap<string, Tensor>,
  network: Checkpoint,
): Promise<WeightBinding> {
  const search = new BindingSearch(graph, carried, network);
  await search.byName();
  await search.byValue();
  await search.throughNorms();
  await search.byParts();
  search.byNameAlone();
  search.asConstants();
  return search.result();
}

/** Numbers of a network that is looked through whole even if no value has been recognised. */
const SMALL = 2 ** 18;

/** Tensors listed in a reason. */
const SHOWN = 3;

class BindingSearch {
  readonly #graph: Graph;
  readonly #carried: Checkpoint;
  readonly #network: Checkpoint;
  readonly #pool: TensorPool;
  readonly #sources = new Map<string, WeightSource>();
  readonly #reasons = new Map<string, string>();
  readonly #disagreeing: string[] = [];
  readonly #constants: string[] = [];
  readonly #tied = new Map<string, string>();
  #telling = 0;

  constructor(graph: Graph, carried: ReadonlyMap<string, Tensor>, network: Checkpoint) {
    this.#graph = graph;
    this.#carried = createCheckpoint(carried);
    this.#network = network;
    this.#pool = new TensorPool(network);
  }

  /** Binds weights whose name and values agree, and those whose values the graph's file does not carry. */
  async byName(): Promise<void> {
    for (const name of this.#named()) {
      const values = await this.#valuesOf(name);
      if (values === undefined) this.#bind(name, { kind: "tensor", tensor: name, steps: [] });
      else if (await this.#pool.matches(name, values, [])) this.#bindTelling(name, plain(name), values);
    }
  }

  async byValue(): Promise<void> {
    for (const [name, values] of await this.#open()) {
      // Ones and zeros may be of any new layer, or the exporter's own.
      if (isConstant(values.values)) continue;
      const sources = await this.#pool.find(values);
      const [source] = sources;
      if (sources.length > 1) {
        const names = sources.slice(0, SHOWN).map(({ tensor }) => `"${tensor}"`);
        this.#reasons.set(name, `several tensors have its values: ${names.join(", ")}`);
      } else if (source !== undefined) {
        this.#bindTelling(name, source, values);
      }
    }
  }

  async throughNorms(): Promise<void> {
    const isOpen = (name: string) => !this.#sources.has(name) && this.#carried.tensors.has(name);
    for (const layer of foldableLayers(this.#graph)) {
      const { kernel, bias } = layer;
      if (!isOpen(kernel) || !isOpen(bias)) continue;
      const folded = describeFolded(layer, await this.#carried.read(kernel), await this.#carried.read(bias));
      this.#bindFolded(layer, folded, await findFoldedNorm(this.#pool, folded));
    }
  }

  #bindFolded(
    { kernel, bias }: FoldableLayer,
    folded: FoldedLayer,
    [unfolded, another]: readonly UnfoldedLayer[],
  ): void {
    if (unfolded === undefined) return;
    if (another !== undefined) {
      const norms = [unfolded, another].map(({ norm }) => `"${norm.scale ?? norm.variance}"`).join(", ");
      for (const name of [kernel, bias])
        this.#reasons.set(name, `several norms may be folded into it: ${norms}`);
      return;
    }
    const { norm, bias: layerBias } = unfolded;
    this.#bindTelling(kernel, { kind: "folded-kernel", kernel: unfolded.kernel, norm }, folded.kernel);
    this.#bind(bias, { kind: "folded-bias", norm, ...(layerBias === undefined ? {} : { bias: layerBias }) });
  }

  /** Looks for parts of tensors, which is long work, where the values of others have told that the network is this one. */
  async byParts(): Promise<void> {
    const open = await this.#open();
    const size = open.reduce((sum, [, { values }]) => sum + values.length, 0);
    if (this.#telling === 0 && size > SMALL) return;
    const rows = new RowFinder(this.#pool);
    for (const [name, values] of open) {
      const source =
        (await findRepeated(this.#pool, values)) ??
        (await findSlice(this.#pool, values)) ??
        (await findStack(this.#pool, values)) ??
        (await rows.find(values)) ??
        (await findReparametrized(this.#pool, values));
      if (source !== undefined) this.#bindTelling(name, source, values);
    }
    await this.#bindUniform();
    await this.#findTied();
  }

  /** Binds weights of one number, repeated, where there is but one such weight and one such tensor. */
  async #bindUniform(): Promise<void> {
    const open = (await this.#open()).filter(([, { values }]) => isConstant(values));
    for (const [name, values] of open) {
      const twins = open.filter(([, other]) => sameValues(other.values, values.values));
      const unused = (await this.#pool.find(values)).filter(({ tensor }) => !this.#pool.isTaken(tensor));
      const [source, another] = unused;
      if (source === undefined) continue;
      if (twins.length === 1 && another === undefined) {
        this.#bind(name, source);
      } else {
        const names = unused.slice(0, SHOWN).map(({ tensor }) => `"${tensor}"`);
        this.#reasons.set(name, `several tensors have its values: ${names.join(", ")}`);
      }
    }
  }

  /** Binds what is left by name, if that accounts for every weight and every tensor. */
  byNameAlone(): void {
    const named = new Set(this.#named());
    const open = this.#unbound();
    const others = this.#unread().filter((name) => !named.has(name) && !isKnownBuffer(this.#network, name));
    if (others.length > 0 || !open.every((name) => named.has(name) || this.#mayBeConstant(name))) return;
    for (const name of open) {
      if (!named.has(name)) continue;
      this.#bind(name, plain(name));
      this.#disagreeing.push(name);
    }
  }

  /** Takes carried values for constants if no tensor is left that they might come from. */
  asConstants(): void {
    if (this.#unread().some((name) => !isKnownBuffer(this.#network, name))) return;
    this.#constants.push(...this.#unbound().filter((name) => this.#mayBeConstant(name)));
  }

  #mayBeConstant(name: string): boolean {
    return this.#carried.tensors.has(name) && !this.#reasons.has(name) && !this.#network.tensors.has(name);
  }

  /** Finds tensors that nothing reads and that have the values of one that is read. */
  async #findTied(): Promise<void> {
    for (const name of this.#unread()) {
      const { dtype, shape } = this.#network.tensors.get(name) ?? { dtype: "f32", shape: [] };
      const values = await this.#pool.read(name);
      if (isConstant(values)) continue;
      for (const other of this.#pool.ofSize(values.length)) {
        if (!this.#pool.isTaken(other) || !sameShape(this.#pool.shapeOf(other), shape)) continue;
        if (!(await this.#pool.matches(other, { values, shape, dtype }, []))) continue;
        this.#tied.set(name, other);
        break;
      }
    }
  }

  /** Weights that have a tensor of their name and shape. */
  #named(): string[] {
    return [...this.#graph.weights].flatMap(([name, { shape }]) => {
      const info = this.#network.tensors.get(name);
      return info !== undefined && sameShape(info.shape, shape) ? [name] : [];
    });
  }

  async #valuesOf(name: string): Promise<CarriedValues | undefined> {
    if (!this.#carried.tensors.has(name)) return undefined;
    const { dtype, shape, data } = await this.#carried.read(name);
    return { dtype, shape, values: toFloat32(data, dtype) };
  }

  /** Weights without a source whose values are known. */
  async #open(): Promise<[string, CarriedValues][]> {
    const open: [string, CarriedValues][] = [];
    for (const name of this.#unbound()) {
      const values = await this.#valuesOf(name);
      if (values !== undefined) open.push([name, values]);
    }
    return open;
  }

  #unbound(): string[] {
    return [...this.#graph.weights.keys()].filter((name) => !this.#sources.has(name));
  }

  #unread(): string[] {
    return this.#pool.unused().filter((name) => !this.#tied.has(name));
  }

  /** Binds a weight by its values; values that are all equal do not tell which network they are of. */
  #bindTelling(name: string, source: WeightSource, { values }: CarriedValues): void {
    if (!isConstant(values)) this.#telling++;
    this.#bind(name, source);
  }

  #bind(name: string, source: WeightSource): void {
    this.#sources.set(name, source);
    this.#reasons.delete(name);
    for (const tensor of tensorsOf(source)) this.#pool.take(tensor);
  }

  result(): WeightBinding {
    const constants = new Set(this.#constants);
    const unbound = this.#unbound().filter((name) => !constants.has(name));
    return {
      sources: this.#sources,
      constants: this.#constants,
      disagreeing: this.#disagreeing,
      exported: this.#telling > 0,
      unbound: unbound.map((weight) => ({ weight, reason: this.#reasonFor(weight) })),
      unread: this.#unread(),
      tied: this.#tied,
    };
  }

  #reasonFor(name: string): string {
    const known = this.#reasons.get(name);
    if (known !== undefined) return known;
    const info = this.#network.tensors.get(name);
    if (this.#carried.tensors.has(name)) {
      return info === undefined ? "no tensor has its values" : "the tensor of that name has other values";
    }
    if (info !== undefined) return `the tensor of that name has shape [${info.shape.join(", ")}]`;
    return "no tensor has its name";
  }
}

const plain = (tensor: string): WeightSource => ({ kind: "tensor", tensor, steps: [] });
