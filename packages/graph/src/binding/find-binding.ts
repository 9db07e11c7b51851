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
import { areTied, findTiedTo, findTwin } from "./tied-tensors.ts";
import { explainUnbound, type UnboundWeight } from "./unbound-weight.ts";
import { isRearranged, type TensorSource, tensorsOf, type WeightSource } from "./weight-source.ts";

/** Sources of the weights of a graph in the tensors of a checkpoint. */
export interface WeightBinding {
  /** Source of each weight, by the graph's names. */
  readonly sources: ReadonlyMap<string, WeightSource>;
  /**
   * Weights that are in the graph's file and in no checkpoint, such as tables of sines: they belong to the
   * architecture.
   */
  readonly constants: readonly string[];
  /** Weights that were bound by name although the graph's file contains other values for them. */
  readonly disagreeing: readonly string[];
  /** Whether the graph's file contains values of this checkpoint, from which the graph was then exported. */
  readonly exported: boolean;
  /** Weights without a source, each with the reason; empty if the binding is complete. */
  readonly unbound: readonly UnboundWeight[];
  /** Floating-point tensors of the checkpoint that are no weight's source, by the network's names. */
  readonly unread: readonly string[];
  /** Tied weights: tensors that have the values of another tensor, which the graph reads for both. */
  readonly tied: ReadonlyMap<string, string>;
}

/** Evidence for the sources of weights, besides names and values. */
export interface BindingEvidence {
  /**
   * Sources of weights by the file's own records, which agree with the values; undefined for weights that
   * come from no tensor.
   */
  readonly origins?: ReadonlyMap<string, TensorSource | undefined>;
  /**
   * Returns all networks that the graph is bound to, under the names of this one: tied tensors are equal in
   * each.
   */
  readonly networks?: () => readonly Checkpoint[];
}

/**
 * Finds the tensors of a checkpoint that are the weights of a graph.
 *
 * Weights are bound by name if the graph's file contains no values or the same values. The others are bound
 * by value: under another name or shape, transposed, as a part of a tensor or joined from several tensors, or
 * with a batch norm folded in. The rest is bound by name alone, but only if that accounts for every weight
 * and every tensor, as for a graph that was exported from another network: otherwise a kernel with a norm
 * folded into it would be mistaken for the kernel itself.
 *
 * @param carried - weights that the graph's file contains, as `readGraph` returns them
 * @param network - the checkpoint under the network's names, as `findNames` finds them
 * @param evidence - further evidence for the sources of weights
 */
export async function findBinding(
  graph: Graph,
  carried: ReadonlyMap<string, Tensor>,
  network: Checkpoint,
  { origins = new Map(), networks = () => [network] }: BindingEvidence = {},
): Promise<WeightBinding> {
  const search = new BindingSearch({ graph, carried, network, origins, networks });
  await search.byName();
  await search.byOrigin();
  await search.byValue();
  await search.throughNorms();
  await search.byParts();
  search.byNameAlone();
  await search.asConstants();
  return search.result();
}

/**
 * Maximum number of elements of a network that is searched for parts even if no value has been recognised.
 */
const SMALL = 2 ** 18;

/** Number of tensors that a reason lists. */
const SHOWN = 3;

/** A graph and the network in which its weights are searched for, see {@link findBinding}. */
interface SearchedNetwork extends Required<BindingEvidence> {
  readonly graph: Graph;
  readonly carried: ReadonlyMap<string, Tensor>;
  readonly network: Checkpoint;
}

/** A search for the tensors that the weights of a graph come from. */
class BindingSearch {
  readonly #graph: Graph;
  readonly #origins: ReadonlyMap<string, TensorSource | undefined>;
  readonly #networks: () => readonly Checkpoint[];
  readonly #carried: Checkpoint;
  readonly #network: Checkpoint;
  readonly #pool: TensorPool;
  readonly #sources = new Map<string, WeightSource>();
  readonly #reasons = new Map<string, string>();
  readonly #disagreeing: string[] = [];
  readonly #constants: string[] = [];
  readonly #tied = new Map<string, string>();
  /** Number of weights that were bound by values which are not all equal. */
  #recognized = 0;

  constructor({ graph, carried, network, origins, networks }: SearchedNetwork) {
    this.#graph = graph;
    this.#carried = createCheckpoint(carried);
    this.#network = network;
    this.#origins = origins;
    this.#networks = networks;
    this.#pool = new TensorPool(network);
  }

  /**
   * Binds weights whose name and values agree, and weights whose values the graph's file does not contain.
   */
  async byName(): Promise<void> {
    for (const name of this.#named()) {
      const origin = this.#origins.get(name);
      if (origin !== undefined && origin.tensor !== name) continue;
      const values = await this.#valuesOf(name);
      if (values === undefined) this.#bind(name, { kind: "tensor", tensor: name, steps: [] });
      else if (await this.#pool.matches(name, values, [])) this.#bindRecognized(name, plain(name), values);
    }
  }

  /** Binds weights to the tensors that the file's own records name. */
  async byOrigin(): Promise<void> {
    for (const [name, values] of await this.#open()) {
      const source = this.#origins.get(name);
      if (source !== undefined) this.#bindRecognized(name, source, values);
    }
  }

  /** Binds weights to tensors of equal values under other names and shapes. */
  async byValue(): Promise<void> {
    for (const [name, values] of await this.#open()) {
      // Tensors of only ones or zeros may belong to any new layer, or come from the exporter.
      if (isConstant(values.values)) continue;
      const sources = await this.#pool.find(values);
      const [source] = sources;
      if (source === undefined) continue;
      const others = sources.slice(1).map(({ tensor }) => tensor);
      if (others.length > 0 && !(await areTied(this.#networks(), source.tensor, others))) {
        const names = sources.slice(0, SHOWN).map(({ tensor }) => `"${tensor}"`);
        this.#reasons.set(name, `several tensors have its values: ${names.join(", ")}`);
        continue;
      }
      const tied = await findTiedTo(this.#pool, source.tensor, this.#networks);
      this.#bindRecognized(name, tied === undefined ? source : { ...source, tensor: tied }, values);
    }
  }

  /** Binds kernels and biases that a batch norm was folded into. */
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
    this.#bindRecognized(kernel, { kind: "folded-kernel", kernel: unfolded.kernel, norm }, folded.kernel);
    this.#bind(bias, { kind: "folded-bias", norm, ...(layerBias === undefined ? {} : { bias: layerBias }) });
  }

  /**
   * Binds weights to parts of tensors. This long search is done only if values of other weights have shown
   * that the network is this one.
   */
  async byParts(): Promise<void> {
    const open = await this.#open();
    const size = open.reduce((sum, [, { values }]) => sum + values.length, 0);
    if (this.#recognized === 0 && size > SMALL) return;
    const rows = new RowFinder(this.#pool);
    for (const [name, values] of open) {
      // A factor of zero would make any parts equal to zeros.
      if (isConstant(values.values)) continue;
      const source =
        (await findRepeated(this.#pool, values)) ??
        (await findSlice(this.#pool, values)) ??
        (await findStack(this.#pool, values)) ??
        (await rows.find(values)) ??
        (await findReparametrized(this.#pool, values));
      if (source !== undefined) this.#bindRecognized(name, source, values);
    }
    await this.#bindUniform();
    await this.#findTied();
  }

  /** Binds weights whose numbers are all equal, if only one such weight and one such tensor are left. */
  async #bindUniform(): Promise<void> {
    const open = (await this.#open()).filter(([, { values }]) => isConstant(values));
    for (const [name, values] of open) {
      if (this.#comesFromNone(name)) continue;
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

  /**
   * Binds the remaining weights by name, if that accounts for every weight and every tensor. The file is then
   * of another network, perhaps this one with its units in another order: no exporter reordered its rows.
   */
  byNameAlone(): void {
    const named = new Set(this.#named());
    const open = this.#unbound();
    const others = this.#unread().filter((name) => !named.has(name) && !isKnownBuffer(this.#network, name));
    if (others.length > 0 || !open.every((name) => named.has(name) || this.#mayBeConstant(name))) return;
    if (!open.some((name) => named.has(name))) return;
    for (const name of named) {
      const source = this.#sources.get(name);
      if (source !== undefined && !isRearranged(name, source)) continue;
      this.#bind(name, plain(name));
      this.#disagreeing.push(name);
    }
  }

  /**
   * Makes constants of the remaining weights with values, if no possible source is left: weights whose
   * numbers are all equal come only from such tensors.
   */
  async asConstants(): Promise<void> {
    const open = (await this.#open()).filter(([name]) => this.#mayBeConstant(name));
    if (open.length === 0) return;
    const left = this.#unread().filter((name) => !isKnownBuffer(this.#network, name));
    const isLeft = (await this.#findConstant(left)) !== undefined;
    for (const [name, { values }] of open) {
      const isMade = this.#comesFromNone(name) || left.length === 0 || (isConstant(values) && !isLeft);
      if (isMade) this.#constants.push(name);
    }
  }

  /** Finds a tensor whose numbers are all equal. */
  async #findConstant(names: readonly string[]): Promise<string | undefined> {
    for (const name of names) if (isConstant(await this.#pool.read(name))) return name;
    return undefined;
  }

  /** Checks whether the file's own records state that a weight comes from no tensor. */
  #comesFromNone(name: string): boolean {
    return this.#origins.has(name) && this.#origins.get(name) === undefined;
  }

  #mayBeConstant(name: string): boolean {
    return this.#carried.tensors.has(name) && !this.#reasons.has(name) && !this.#network.tensors.has(name);
  }

  /** Finds tensors that are not read and that equal a tensor that is read. */
  async #findTied(): Promise<void> {
    for (const name of this.#unread()) {
      const other = await findTwin(this.#pool, name);
      if (other !== undefined) this.#tied.set(name, other);
    }
  }

  /** Lists the weights that have a tensor of their name and shape. */
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

  /** Lists the weights without a source whose values are known. */
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

  /** Binds a weight by its values; values that are all equal do not identify the network. */
  #bindRecognized(name: string, source: WeightSource, { values }: CarriedValues): void {
    if (!isConstant(values)) this.#recognized++;
    this.#bind(name, source);
  }

  #bind(name: string, source: WeightSource): void {
    this.#sources.set(name, source);
    this.#reasons.delete(name);
    for (const tensor of tensorsOf(source)) this.#pool.take(tensor);
  }

  /** Returns the binding. */
  async result(): Promise<WeightBinding> {
    const constants = new Set(this.#constants);
    const unbound: UnboundWeight[] = [];
    for (const weight of this.#unbound().filter((name) => !constants.has(name))) {
      const evidence = { several: this.#reasons.get(weight), values: await this.#valuesOf(weight) };
      unbound.push(await explainUnbound(this.#pool, weight, evidence));
    }
    return {
      sources: this.#sources,
      constants: this.#constants,
      disagreeing: this.#disagreeing,
      exported: this.#recognized > 0,
      unbound,
      unread: this.#unread(),
      tied: this.#tied,
    };
  }
}

const plain = (tensor: string): WeightSource => ({ kind: "tensor", tensor, steps: [] });
