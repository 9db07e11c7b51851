import {
  allocateData,
  at,
  type Checkpoint,
  DTYPES,
  entry,
  sameShape,
  sizeOf,
  type Tensor,
  toFloat32,
} from "@isthmus/core";
import { floatAttribute, intAttribute } from "../ir/attributes.ts";
import { capturedNames } from "../ir/captured-names.ts";
import type { Graph, Node, WeightInfo, WeightRole } from "../ir/graph.ts";
import { inputName } from "../ir/input-name.ts";
import { renameInputs } from "../ir/values.ts";
import type { DecodedGraph } from "../onnx/decode-graph.ts";
import { OriginNames } from "./origin-names.ts";
import { isConstant } from "./same-values.ts";
import { type CarriedValues, TensorPool } from "./tensor-pool.ts";
import type { TensorSource } from "./weight-source.ts";

/** A graph in which all tensors of the network that exporters merge or drop are separate weights. */
export interface SeparatedGraph extends DecodedGraph {
  /**
   * Sources of weights by the file's own records, which agree with the values; undefined for a weight that
   * comes from no tensor.
   */
  readonly origins: ReadonlyMap<string, TensorSource | undefined>;
}

/**
 * Restores weights of a graph that an exporter merged into one, or left out, because of their values. Single
 * numbers that are tensors of the network become weights, too; others are scales and epsilons.
 *
 * Exporters write tensors of equal values once, and leave out biases of zeros: so tensors of new or frozen
 * layers are lost, although other networks have different values there. The older exporter of PyTorch writes
 * an `Identity` with the name of each tensor that it merged; the newer one records for every node the call
 * that it was made from, and the parameters that the call reads. Nothing is guessed: a tensor without such a
 * record is not restored.
 *
 * The graph computes the same as before with the values that it carries. Tied tensors remain one weight, as
 * both exporters write them under one name.
 *
 * @param network - the checkpoint that the graph may have been exported from, under the network's names
 */
export async function separateWeights(decoded: DecodedGraph, network: Checkpoint): Promise<SeparatedGraph> {
  const separator = new WeightSeparator(decoded, network);
  if (decoded.weights.size > 0) await separator.freeNumbers();
  await separator.splitCopies();
  await separator.splitShared();
  await separator.addBiases();
  return separator.result();
}

/** Operators whose third input is a bias for each output. */
const BIASED: ReadonlySet<string> = new Set(["Gemm", "Conv", "ConvTranspose"]);

/** Calls that only compute products with a kernel and add a bias. */
const LAYER = /^aten\.(linear|addmm|_?convolution|conv\w*)\./;

/** A graph whose weights are separated step by step. */
class WeightSeparator {
  readonly #graph: Graph;
  readonly #pool: TensorPool;
  readonly #names: OriginNames;
  readonly #carried: Map<string, Tensor>;
  /** Added weights. */
  readonly #added = new Map<string, WeightInfo>();
  readonly #origins = new Map<string, TensorSource | undefined>();
  /** Used names of values, weights and constants. */
  readonly #taken: Set<string>;
  #nodes: readonly Node[];

  constructor({ graph, weights }: DecodedGraph, network: Checkpoint) {
    this.#graph = graph;
    this.#pool = new TensorPool(network);
    this.#names = new OriginNames(network);
    this.#carried = new Map(weights);
    this.#nodes = graph.nodes;
    this.#taken = new Set([
      ...graph.nodes.flatMap(({ outputs }) => outputs),
      ...graph.inputs.map(({ name }) => name),
      ...graph.weights.keys(),
      ...graph.constants.keys(),
    ]);
  }

  /** Makes constants of one number weights, if they are tensors of the network by name and value. */
  async freeNumbers(): Promise<void> {
    for (const [name, tensor] of this.#graph.constants) {
      if (sizeOf(tensor.shape) !== 1 || !this.#isTensor(name, tensor.shape)) continue;
      if (!(await this.#pool.matches(name, valuesOf(tensor), []))) continue;
      this.#taken.delete(name);
      this.#add({ kind: "tensor", tensor: name, steps: [] }, tensor);
    }
  }

  /** Makes separate weights of copies that have the name of a tensor. */
  async splitCopies(): Promise<void> {
    const copies = new Map<Node, string>();
    for (const node of this.#nodes) {
      const [weight, copy] = [inputName(node, 0), at(node.outputs, 0, "output")];
      const tensor = this.#carried.get(weight);
      if (node.op !== "Identity" || node.domain !== "" || tensor === undefined) continue;
      if (!this.#isTensor(copy, tensor.shape) || !(await this.#pool.matches(copy, valuesOf(tensor), [])))
        continue;
      copies.set(node, weight);
    }
    this.#nodes = this.#nodes.filter((node) => !copies.has(node));
    for (const [node, weight] of copies) {
      const copy = at(node.outputs, 0, "output");
      this.#taken.delete(copy);
      const carried = entry(this.#carried, weight, "weight");
      this.#add({ kind: "tensor", tensor: copy, steps: [] }, carried, this.#roleOf(weight));
    }
  }

  /** Gives each call its own weight, if calls of different tensors share one. */
  async splitShared(): Promise<void> {
    const elsewhere = new Set(this.#graph.outputs.map(({ name }) => name));
    for (const name of this.#nodes.flatMap(capturedNames)) elsewhere.add(name);
    for (const [weight, tensor] of [...this.#carried]) {
      const readers = this.#nodes.filter(({ inputs }) => inputs.includes(weight));
      const values = valuesOf(tensor);
      const isNamed = this.#pool.checkpoint.tensors.has(weight);
      const isTold = isNamed && readers.length < 2 && !isConstant(values.values);
      if (!isTold && readers.length > 0 && !elsewhere.has(weight)) await this.#split(weight, readers, values);
    }
  }

  async #split(weight: string, readers: readonly Node[], values: CarriedValues): Promise<void> {
    const owners = await this.#ownersOf(readers, values);
    if (owners === undefined) {
      if (await this.#haveNone(readers, values)) this.#origins.set(weight, undefined);
      return;
    }
    const names = this.#nameOwners(weight, [...owners.values()]);
    this.#nodes = this.#nodes.map((node) => {
      const owner = owners.get(node);
      const name = owner === undefined ? weight : entry(names, owner.tensor, "owner");
      return name === weight ? node : renameInputs(node, new Map([[weight, name]]));
    });
  }

  /**
   * Finds the tensor whose values each reader of a weight reads by its record; undefined if some record
   * is missing, or names none or several of them.
   */
  async #ownersOf(
    readers: readonly Node[],
    values: CarriedValues,
  ): Promise<Map<Node, TensorSource> | undefined> {
    const owners = new Map<Node, TensorSource>();
    const searches = new Map<string, Promise<TensorSource | undefined>>();
    for (const node of readers) {
      const fitting: TensorSource[] = [];
      for (const tensor of this.#names.tensorsOf(node) ?? []) {
        const search = searches.get(tensor) ?? this.#pool.arrangementOf(tensor, values);
        searches.set(tensor, search);
        const source = await search;
        if (source !== undefined) fitting.push(source);
      }
      const [owner, another] = fitting;
      if (owner === undefined || another !== undefined) return undefined;
      owners.set(node, owner);
    }
    return owners;
  }

  /** Checks whether numbers that are all equal come from no tensor that the records of readers name. */
  async #haveNone(readers: readonly Node[], { values }: CarriedValues): Promise<boolean> {
    if (!isConstant(values)) return false;
    for (const node of readers) {
      const tensors = this.#names.tensorsOf(node);
      if (tensors === undefined) return false;
      for (const tensor of tensors) if (isConstant(await this.#pool.read(tensor))) return false;
    }
    return true;
  }

  /** Names the weight of each owner: the first keeps the name, unless it is the name of another owner. */
  #nameOwners(weight: string, owners: readonly TensorSource[]): Map<string, string> {
    const sources = new Map(owners.map((source) => [source.tensor, source]));
    const keeper = sources.get(weight) ?? at(owners, 0, "owner");
    const carried = entry(this.#carried, weight, "weight");
    this.#origins.set(weight, keeper);
    return new Map(
      [...sources].map(([tensor, source]) => [
        tensor,
        tensor === keeper.tensor ? weight : this.#add(source, carried, this.#roleOf(weight)),
      ]),
    );
  }

  /** Adds biases of zeros that the exporter left out, by the records of the layers. */
  async addBiases(): Promise<void> {
    const nodes: Node[] = [];
    for (const node of this.#nodes) nodes.push(await this.#withBias(node));
    this.#nodes = nodes;
  }

  async #withBias(node: Node): Promise<Node> {
    const kernel = this.#carried.get(inputName(node, 1));
    const tensors = this.#names.tensorsOf(node) ?? [];
    const isLayer = BIASED.has(node.op) && node.domain === "" && LAYER.test(node.origin?.operator ?? "");
    if (kernel === undefined || !isLayer || inputName(node, 2) !== "") return node;
    // The node may read only the kernel and the bias; a computed kernel is not a tensor.
    if (tensors.length > 2 || floatAttribute(node, "beta", 1) !== 1) return node;
    const others: string[] = [];
    for (const tensor of tensors) if (!(await this.#fits(tensor, valuesOf(kernel)))) others.push(tensor);
    const [bias = ""] = others;
    const shape = [outputsOf(node, kernel.shape)];
    if (others.length !== 1 || !this.#isTensor(bias, shape)) return node;
    const values = await this.#pool.read(bias);
    if (values.some((value) => value !== 0)) return node;
    const { dtype } = kernel;
    const zeros = { dtype, shape, data: allocateData(dtype, sizeOf(shape)) };
    const source: TensorSource = { kind: "tensor", tensor: bias, steps: [] };
    return { ...node, inputs: [...node.inputs.slice(0, 2), this.#add(source, zeros)] };
  }

  /** Adds a weight for a tensor, and returns its name: the tensor's, if it is free. */
  #add(source: TensorSource, carried: Tensor, role: WeightRole = "parameter"): string {
    const { tensor } = source;
    let name = tensor;
    for (let copy = 2; this.#taken.has(name); copy++) name = `${tensor}#${copy}`;
    this.#taken.add(name);
    this.#carried.set(name, carried);
    this.#origins.set(name, source);
    this.#added.set(name, { dtype: carried.dtype, shape: carried.shape, role });
    return name;
  }

  #roleOf(weight: string): WeightRole {
    return this.#graph.weights.get(weight)?.role ?? "parameter";
  }

  /** Checks whether the network has a floating-point tensor of a name and shape. */
  #isTensor(name: string, shape: readonly number[]): boolean {
    const info = this.#pool.checkpoint.tensors.get(name);
    return info !== undefined && DTYPES[info.dtype].float && sameShape(info.shape, shape);
  }

  async #fits(tensor: string, values: CarriedValues): Promise<boolean> {
    return (await this.#pool.arrangementOf(tensor, values)) !== undefined;
  }

  /** Returns the graph with the values that it carries. */
  result(): SeparatedGraph {
    const constants = new Map([...this.#graph.constants].filter(([name]) => !this.#added.has(name)));
    const graph = { ...this.#graph, nodes: this.#nodes, weights: this.#inOrder(), constants };
    return { graph, weights: this.#carried, origins: this.#origins };
  }

  /** Inserts each added weight after the tensor that it follows in the network. */
  #inOrder(): Map<string, WeightInfo> {
    const places = new Map([...this.#pool.checkpoint.tensors.keys()].map((name, place) => [name, place]));
    // Weights with names that an exporter invented come before all others.
    const placeOf = (name: string) => places.get(this.#origins.get(name)?.tensor ?? name) ?? -1;
    const weights = [...this.#graph.weights];
    for (const added of this.#added) {
      const place = placeOf(added[0]);
      const before = weights.map(([name]) => placeOf(name)).filter((other) => other < place);
      const nearest = Math.max(-1, ...before);
      weights.splice(weights.findLastIndex(([name]) => placeOf(name) === nearest) + 1, 0, added);
    }
    return new Map(weights);
  }
}

function valuesOf({ data, dtype, shape }: Tensor): CarriedValues {
  return { values: toFloat32(data, dtype), dtype, shape };
}

/** Returns the number of outputs of a layer by the shape of its kernel. */
function outputsOf(node: Node, shape: readonly number[]): number {
  if (node.op === "Conv") return at(shape, 0);
  if (node.op === "ConvTranspose") return at(shape, 1) * intAttribute(node, "group", 1);
  return at(shape, intAttribute(node, "transB", 0) === 1 ? 0 : 1);
}
