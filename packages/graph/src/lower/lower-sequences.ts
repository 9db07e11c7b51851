import { at, type Tensor } from "@isthmus/core";
import { intAttribute } from "../ir/attributes.ts";
import { capturedNames } from "../ir/captured-names.ts";
import { constantTensor, wholeNumbers } from "../ir/constant-tensor.ts";
import type { Attribute, Graph, Node } from "../ir/graph.ts";
import { inputName } from "../ir/input-name.ts";
import { isSequenceOperator } from "../ir/sequence-values.ts";
import { listSequence, type NodeMaker, type Sequence, splitSequence } from "./sequence.ts";

/**
 * Returns the graph with sequences of tensors rewritten to tensors: the parts of a `SplitToSequence` become
 * slices at each `SequenceAt`, and a `ConcatFromSequence` becomes a `Concat`.
 *
 * Exporters write sequences for lists of their language, and resolve most of them (PyTorch's exporter does
 * not with `optimize=False`). Sequences that loops and branches build, and positions that depend on data,
 * stay unchanged. Values keep their names; a graph without sequences is returned itself.
 */
export function lowerSequences(graph: Graph): Graph {
  if (!graph.nodes.some(isSequenceOperator)) return graph;
  return new SequenceRewriter(graph).rewrite();
}

/**
 * A graph that is rewritten node by node. Sequences are lists of tensors, which are computed only when they
 * are used.
 */
class SequenceRewriter {
  readonly #graph: Graph;
  readonly #constants: Map<string, Tensor>;
  readonly #known = new Map<string, Tensor>();
  readonly #sequences = new Map<string, Sequence>();
  readonly #nodes: Node[] = [];

  constructor(graph: Graph) {
    this.#graph = graph;
    this.#constants = new Map(graph.constants);
    for (const [name, tensor] of graph.constants) this.#known.set(name, tensor);
    for (const node of graph.nodes) {
      const tensor = constantTensor(node);
      const [output] = node.outputs;
      if (tensor !== undefined && output !== undefined) this.#known.set(output, tensor);
    }
  }

  /** Returns the rewritten graph. */
  rewrite(): Graph {
    for (const node of this.#graph.nodes) {
      const sequence = this.#sequenceOf(node);
      const [output] = node.outputs;
      if (sequence !== undefined && output !== undefined) this.#sequences.set(output, sequence);
      const made = sequence === undefined && this.#replace(node);
      if (made !== true) this.#nodes.push(node);
    }
    return { ...this.#graph, nodes: this.#withoutUnread(), constants: this.#constants };
  }

  /** Returns the list that a node makes; undefined if it makes no list, or one that depends on data. */
  #sequenceOf(node: Node): Sequence | undefined {
    const { op, inputs } = node;
    const [first = "", second = "", third = ""] = inputs;
    if (op === "SequenceEmpty") return listSequence([]);
    if (op === "SequenceConstruct") return listSequence(inputs);
    if (op === "SplitToSequence") return this.#split(node);
    const before = this.#sequences.get(first);
    if (before === undefined) return undefined;
    if (op === "Identity") return before;
    if (op === "SequenceInsert")
      return before.insert?.(second, third === "" ? before.length : this.#number(third));
    return op === "SequenceErase" ? before.erase?.(second === "" ? -1 : this.#number(second)) : undefined;
  }

  #split(node: Node): Sequence | undefined {
    const [x = "", lengths = ""] = node.inputs;
    const axis = intAttribute(node, "axis", 0);
    if (lengths === "") {
      return splitSequence(x, { axis, lengths: 1, keepsAxis: intAttribute(node, "keepdims", 1) === 1 });
    }
    const tensor = this.#known.get(lengths);
    if (tensor === undefined) return undefined;
    const numbers = Array.from(tensor.data as ArrayLike<number | bigint>, Number);
    return splitSequence(x, {
      axis,
      lengths: tensor.shape.length === 0 ? at(numbers, 0, "number") : numbers,
      keepsAxis: true,
    });
  }

  #number(name: string): number | undefined {
    const data = this.#known.get(name)?.data;
    return data === undefined ? undefined : Number(data[0]);
  }

  /** Adds the nodes that compute a tensor from a known sequence; returns whether they replace the node. */
  #replace(node: Node): boolean {
    const sequence = this.#sequences.get(inputName(node, 0));
    if (sequence === undefined || node.domain !== "") return false;
    const make = this.#makerFor(node);
    if (node.op === "SequenceAt") {
      const place = this.#number(inputName(node, 1));
      return place !== undefined && sequence.at(place, make);
    }
    if (node.op === "SequenceLength") return sequence.count(make);
    if (node.op !== "ConcatFromSequence") return false;
    const isNew = intAttribute(node, "new_axis", 0) === 1;
    return sequence.join({ axis: intAttribute(node, "axis", 0), isNew }, make);
  }

  /** Returns the maker of the nodes that replace a node and compute its first output. */
  #makerFor({ name, outputs }: Node): NodeMaker {
    const [output = ""] = outputs;
    let count = 0;
    return {
      output,
      opset: this.#graph.opsets.get("") ?? 0,
      value: () => `${output}:${count++}`,
      numbers: (values, shape = [values.length]) => {
        const constant = `${output}:${count++}`;
        this.#constants.set(constant, wholeNumbers(values, shape));
        return constant;
      },
      node: (op, inputs, result, attributes = {}) => {
        const made = result === output ? name : `${name}:${result}`;
        const entries = new Map(Object.entries<Attribute>(attributes));
        this.#nodes.push({ name: made, op, domain: "", inputs, outputs: [result], attributes: entries });
      },
    };
  }

  /** Lists the nodes except makers of unread sequences. */
  #withoutUnread(): Node[] {
    const read = new Set(this.#graph.outputs.map(({ name }) => name));
    const left: Node[] = [];
    for (const node of this.#nodes.toReversed()) {
      const isRewritten = node.outputs.slice(0, 1).some((name) => this.#sequences.has(name));
      if (isRewritten && !node.outputs.some((name) => read.has(name))) continue;
      for (const name of [...node.inputs, ...capturedNames(node)]) read.add(name);
      left.push(node);
    }
    return left.reverse();
  }
}
