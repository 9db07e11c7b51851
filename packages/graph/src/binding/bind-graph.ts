import { at, entry, type Tensor, type TensorInfo } from "@isthmus/core";
import { float, int, intAttribute } from "../ir/attributes.ts";
import { capturedNames } from "../ir/captured-names.ts";
import type { Graph, Node, WeightInfo, WeightRole } from "../ir/graph.ts";
import { inputName } from "../ir/input-name.ts";
import { pruneNodes } from "../ir/prune-nodes.ts";
import { renameInputs } from "../ir/values.ts";
import type { WeightBinding } from "./find-binding.ts";
import { foldableLayers } from "./folded-layers.ts";
import { WeightMaker } from "./weight-maker.ts";
import {
  type FoldedKernelSource,
  type FoldedNorm,
  isUnchanged,
  type TensorSource,
  tensorsOf,
  type WeightSource,
} from "./weight-source.ts";

/** Tensors and binding for {@link bindGraph}. */
export interface GraphBinding {
  /** Source of each weight of the graph in the tensors of the network. */
  readonly binding: WeightBinding;
  /** Tensors of the network by its names. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** Weights that the graph's file contains. */
  readonly carried: ReadonlyMap<string, Tensor>;
}

/**
 * Rewrites a graph so that its weights are the tensors of a checkpoint, under their own
 * names and in their own layout.
 *
 * Changes that an exporter made to a weight become part of the graph: transposed matrices are transposed by a
 * node, parts are cut out, and a batch norm that was folded into a layer follows it again. Symmetries, merges
 * and statistics are then about the tensors themselves, and saved networks can be loaded like the checkpoint.
 *
 * @returns the graph itself if every weight is a tensor of its name already
 */
export function bindGraph(graph: Graph, { binding, tensors, carried }: GraphBinding): Graph {
  const isPlain = [...binding.sources].every(([weight, source]) => isUnchanged(weight, source));
  if (isPlain && binding.constants.length === 0) return graph;
  const rewriter = new Rewriter(graph, tensors);
  for (const name of binding.constants) rewriter.keepConstant(name, entry(carried, name, "carried weight"));
  for (const [weight, source] of binding.sources) rewriter.bind(weight, source);
  rewriter.unfoldNorms(binding);
  return rewriter.build(binding);
}

/** A graph whose weights become the tensors of a checkpoint. */
class Rewriter {
  readonly #graph: Graph;
  readonly #tensors: ReadonlyMap<string, TensorInfo>;
  /** Value that replaces a weight of the graph, by the weight's name. */
  readonly #names = new Map<string, string>();
  /** Kernel before a norm was folded into it, by the name of the folded kernel. */
  readonly #kernels = new Map<string, string>();
  /** Maker of the nodes that compute weights, before all others. */
  readonly #maker: WeightMaker;
  #nodes: Node[];

  constructor(graph: Graph, tensors: ReadonlyMap<string, TensorInfo>) {
    this.#graph = graph;
    this.#tensors = tensors;
    const taken = new Set([
      ...graph.nodes.flatMap(({ name, outputs }) => [name, ...outputs]),
      ...graph.constants.keys(),
      ...graph.inputs.map(({ name }) => name),
      ...graph.weights.keys(),
      ...tensors.keys(),
    ]);
    this.#maker = new WeightMaker(tensors, new Map(graph.constants), taken);
    this.#nodes = this.#makeRoom(graph.nodes, new Set(tensors.keys()));
  }

  /** Renames values that have the name of a tensor without being a weight, so that the name is free. */
  #makeRoom(nodes: readonly Node[], tensors: ReadonlySet<string>): Node[] {
    const clashing = nodes.flatMap(({ outputs }) =>
      outputs.filter((name) => name !== "" && tensors.has(name)),
    );
    const names = new Map(clashing.map((name) => [name, this.#maker.fresh(`${name}/value`)]));
    for (const name of [...this.#maker.constants.keys()].filter((name) => tensors.has(name))) {
      const other = this.#maker.fresh(`${name}/constant`);
      this.#maker.constants.set(other, entry(this.#maker.constants, name));
      this.#maker.constants.delete(name);
      names.set(name, other);
    }
    if (names.size === 0) return [...nodes];
    return nodes.map((node) => ({
      ...renameInputs(node, names),
      outputs: node.outputs.map((name) => names.get(name) ?? name),
    }));
  }

  /** Makes a constant of the graph from a weight that the file contains. */
  keepConstant(name: string, tensor: Tensor): void {
    this.#maker.constants.set(name, tensor);
  }

  /**
   * Replaces a weight by a value computed from tensors; weights with a folded norm are
   * left to {@link unfoldNorms}.
   */
  bind(weight: string, source: WeightSource): void {
    const info = entry(this.#graph.weights, weight, "weight");
    if (source.kind === "folded-kernel" || source.kind === "folded-bias") return;
    if (source.kind === "tensor" && isTransposed(source) && this.#flipProducts(weight)) {
      this.#names.set(weight, this.#maker.weight(source.tensor, info));
      return;
    }
    this.#names.set(weight, this.#maker.make(source, info));
  }

  /**
   * Lets all products by a matrix transpose it themselves; returns false if some node that reads the matrix
   * cannot do so.
   */
  #flipProducts(weight: string): boolean {
    const users = this.#nodes.filter(
      (node) => node.inputs.includes(weight) || capturedNames(node).includes(weight),
    );
    const isOutput = this.#graph.outputs.some(({ name }) => name === weight);
    const canAll = users.every(
      ({ op, domain, inputs }) => op === "Gemm" && domain === "" && inputs.indexOf(weight) === 1,
    );
    if (!canAll || isOutput || users.length === 0) return false;
    this.#nodes = this.#nodes.map((node) => (users.includes(node) ? withTransposed(node) : node));
    return true;
  }

  /** Restores the batch norms that were folded into layers, as nodes after these layers. */
  unfoldNorms({ sources }: WeightBinding): void {
    const folded = new Map(
      foldableLayers(this.#graph).flatMap(({ kernel, bias }) => {
        const [one, two] = [sources.get(kernel), sources.get(bias)];
        return one?.kind === "folded-kernel" && two?.kind === "folded-bias"
          ? [[kernel, { source: one, bias: two.bias }] as const]
          : [];
      }),
    );
    this.#nodes = this.#nodes.flatMap((node) => {
      const layer = folded.get(inputName(node, 1));
      if (layer === undefined) return [renameInputs(node, this.#names)];
      const info = entry(this.#graph.weights, at(node.inputs, 1), "weight");
      return this.#unfold(node, { info, ...layer });
    });
  }

  /** Returns a layer with its own kernel and bias, and the norm that was folded into it behind it. */
  #unfold(
    node: Node,
    {
      info,
      source: { kernel, norm },
      bias,
    }: {
      readonly info: WeightInfo;
      readonly source: FoldedKernelSource;
      readonly bias: string | undefined;
    },
  ): Node[] {
    const [data, folded] = [at(node.inputs, 0, "input"), at(node.inputs, 1, "input")];
    const flips = isTransposed(kernel) && node.op === "Gemm";
    const weight = flips ? this.#maker.weight(kernel.tensor, info) : this.#kernelOf(folded, kernel, info);
    const biases = bias === undefined ? [] : [this.#maker.weight(bias, info)];
    const output = at(node.outputs, 0, "output");
    const before = this.#maker.fresh(`${output}/before-norm`);
    const layer = { ...(flips ? withTransposed(node) : node), outputs: [before] };
    const inputs = [this.#names.get(data) ?? data, weight, ...biases];
    return [{ ...layer, inputs }, this.#norm(norm, { info, input: before, output })];
  }

  /** Returns the kernel before a norm was folded into it, computed once for all layers that share it. */
  #kernelOf(folded: string, kernel: TensorSource, info: WeightInfo): string {
    const value = this.#kernels.get(folded) ?? this.#maker.rearranged(kernel, info);
    this.#kernels.set(folded, value);
    return value;
  }

  #norm(
    { scale, offset, mean, variance, epsilon }: FoldedNorm,
    { info, input, output }: { readonly info: WeightInfo; readonly input: string; readonly output: string },
  ): Node {
    const { shape } = entry(this.#tensors, variance, "tensor");
    const as = (role: WeightRole) => ({ dtype: info.dtype, role });
    const vector = (tensor: string | undefined, value: number) =>
      tensor === undefined
        ? this.#maker.constant(value, { dtype: info.dtype, shape })
        : this.#maker.weight(tensor, as("parameter"));
    return {
      name: this.#maker.fresh(`${variance.replace(/[^./]*$/, "")}norm`),
      op: "BatchNormalization",
      domain: "",
      inputs: [
        input,
        vector(scale, 1),
        vector(offset, 0),
        this.#maker.weight(mean, as("statistic")),
        this.#maker.weight(variance, as("statistic")),
      ],
      outputs: [output],
      attributes: new Map([["epsilon", float(epsilon)]]),
    };
  }

  /** Returns the rewritten graph. */
  build(binding: WeightBinding): Graph {
    const { types: _, ...graph } = this.#graph;
    // Weights are computed in their original order: symmetries are named after the first tensor that they
    // move.
    const inOrder = [...this.#graph.weights.keys()].flatMap((weight) => {
      const source = binding.sources.get(weight);
      return source === undefined ? [] : tensorsOf(source);
    });
    return pruneNodes({
      ...graph,
      weights: new Map(inOrder.map((name) => [name, entry(this.#maker.weights, name, "weight")])),
      constants: this.#maker.constants,
      nodes: [...this.#maker.nodes, ...this.#nodes],
    });
  }
}

/** Checks whether a source is the transpose of a matrix and nothing else. */
function isTransposed({ steps }: TensorSource): boolean {
  const [step] = steps;
  return steps.length === 1 && step?.kind === "transpose" && step.permutation.join() === "1,0";
}

/** Returns a product that transposes its second factor, or no longer does if it did. */
function withTransposed(node: Node): Node {
  const transposed = int(1 - intAttribute(node, "transB", 0));
  return { ...node, attributes: new Map([...node.attributes, ["transB", transposed]]) };
}
