import { InvariantError, type Tensor } from "@isthmus/core";
import type { Graph, Node, Probe } from "@isthmus/graph";
import { valuesRead } from "@isthmus/graph/ir";
import { freezeAll, type Labelled } from "./labels/field.ts";
import { findUncounted } from "./labels/find-uncounted.ts";
import { labelConstant } from "./labels/label-constant.ts";
import { LabelStore } from "./labels/label-store.ts";
import { findWeightUses, type LabelledWeight, labelWeight } from "./labels/label-weight.ts";
import { controlInputs } from "./rules/control-inputs.ts";
import { inputName, type RuleContext } from "./rules/rule.ts";
import { RULES } from "./rules/table.ts";
import type { UnknownOperator } from "./spec.ts";

/** The labels of every weight and value of a graph. */
export interface GraphLabels {
  /** Record of all labels: which move together, which determine others, and which differ. */
  readonly store: LabelStore;
  /** Labels of every weight by its name, in the order of the graph. */
  readonly weights: ReadonlyMap<string, LabelledWeight>;
  /** Labels of every value that depends on the input or a weight. */
  readonly values: ReadonlyMap<string, Labelled>;
  /** Operators without a rule, whose inputs and outputs were frozen; in the order of the graph. */
  readonly unknown: readonly UnknownOperator[];
}

/**
 * Gives every index of every weight axis an integer as its label, and carries the labels through the graph:
 * operators that move data move labels alike, operators that compute tie labels together or record that one
 * determines another.
 */
export function labelGraph(graph: Graph, probe: Probe): GraphLabels {
  return new Labeller(graph, probe).run();
}

class Labeller {
  readonly #graph: Graph;
  readonly #probe: Probe;
  readonly #store = new LabelStore();
  readonly #values = new Map<string, Labelled>();
  readonly #weights = new Map<string, LabelledWeight>();
  readonly #activations = new Set<string>();
  readonly #constants = new Map<string, Labelled>();
  readonly #unknown: UnknownOperator[] = [];

  constructor(graph: Graph, probe: Probe) {
    this.#graph = graph;
    this.#probe = probe;
  }

  run(): GraphLabels {
    for (const { name } of this.#graph.inputs) {
      this.#activations.add(name);
      this.#values.set(name, freezeAll(this.#shapeOf(name)));
    }
    const uses = findWeightUses(this.#graph);
    for (const [name, info] of this.#graph.weights) {
      const weight = labelWeight(this.#store, name, info, uses.get(name));
      this.#weights.set(name, weight);
      this.#values.set(name, weight.tensor);
    }
    for (const node of this.#graph.nodes) this.#visit(node);
    this.#fixOutputs();
    this.#fixUncounted();
    this.#fixUnread();
    return {
      store: this.#store,
      weights: this.#weights,
      values: this.#values,
      unknown: this.#unknown,
    };
  }

  #visit(node: Node): void {
    const read = valuesRead(node);
    if (!read.some((name) => this.#values.has(name))) return;
    this.#store.node = node.name;
    const outputs = node.outputs.map((name) => (name === "" ? undefined : this.#shapeOf(name)));
    const results = this.#follow(node, outputs) ?? this.#giveUp(node, read, outputs);
    const activation = read.some((name) => this.#activations.has(name));
    node.outputs.forEach((name, i) => {
      const shape = outputs[i];
      if (shape === undefined) return;
      const result = results[i];
      if (result === undefined) {
        throw new InvariantError(`No labels of output ${i} of ${node.op} "${node.name}"; please report this`);
      }
      // Fields are from the rule, but the extents of the axes they lie on are from the probe.
      this.#values.set(name, { shape, fields: result.fields });
      if (activation) this.#activations.add(name);
    });
  }

  /** Labels every output that has a name; undefined if no rule gives the labels of all of them. */
  #follow(
    node: Node,
    outputs: readonly (readonly number[] | undefined)[],
  ): readonly (Labelled | undefined)[] | undefined {
    const results = this.#apply(node, outputs);
    if (
      results === undefined ||
      outputs.some((shape, i) => shape !== undefined && results[i] === undefined)
    ) {
      return undefined;
    }
    this.#freeze(controlInputs(node), `it steers ${node.op} there`);
    return results;
  }

  #apply(
    node: Node,
    outputs: readonly (readonly number[] | undefined)[],
  ): readonly (Labelled | undefined)[] | undefined {
    const rule = node.domain === "" ? RULES.get(node.op) : undefined;
    if (rule === undefined) return undefined;
    const context: RuleContext = {
      node,
      store: this.#store,
      // The oldest models name no operator set, which means the first.
      opset: this.#graph.opsets.get("") ?? 0,
      inputs: node.inputs.map((name) => (name === "" ? undefined : this.#labelled(name))),
      outputs,
      isActivation: (input) => {
        const name = inputName(node, input);
        return name !== undefined && this.#activations.has(name);
      },
      constant: (input) => {
        const name = inputName(node, input);
        return name === undefined ? undefined : this.#constant(name);
      },
    };
    return rule(context);
  }

  /** Freezes all labels that a node reads and computes, as no rule tells how they move. */
  #giveUp(
    node: Node,
    read: readonly string[],
    outputs: readonly (readonly number[] | undefined)[],
  ): readonly (Labelled | undefined)[] {
    this.#unknown.push({ node: node.name, op: node.op });
    this.#freeze(read, `no rule covers ${node.op} as it is used there`);
    return outputs.map((shape) => (shape === undefined ? undefined : freezeAll(shape)));
  }

  /** Freezes all labels on some values. */
  #freeze(names: readonly string[], reason: string): void {
    for (const name of names) {
      for (const field of this.#values.get(name)?.fields ?? []) {
        if (!field.frozen) this.#store.freeze(field.data, reason);
      }
    }
  }

  #fixOutputs(): void {
    for (const { name } of this.#graph.outputs) {
      this.#store.node = name;
      this.#freeze([name], "it is an axis of an output of the graph");
    }
  }

  /**
   * Freezes indices that the graph never reads, such as the rows of positions beyond the length it was
   * exported for. They could be exchanged without changing what this graph computes, but the exchange would
   * spoil a network that reads them elsewhere.
   */
  #fixUnread(): void {
    const touched = this.#store.findTouched();
    this.#store.node = this.#graph.name;
    for (const { fields } of this.#weights.values()) {
      for (const { labels } of fields) {
        const unread = labels.filter((label) => touched[label] === 0);
        if (unread.length > 0) this.#store.freeze(unread, "nothing in the graph reads it");
      }
    }
  }

  /** Freezes the order of outputs that do not count, unless outputs that count depend on the same units. */
  #fixUncounted(): void {
    const labels = { store: this.#store, weights: this.#weights, values: this.#values };
    this.#store.node = this.#graph.name;
    for (const data of findUncounted(this.#graph, labels)) {
      if (data.length > 0) this.#store.freeze(data, "it is an axis of an output that does not count");
    }
  }

  #labelled(name: string): Labelled {
    const value = this.#values.get(name);
    if (value !== undefined) return value;
    const earlier = this.#constants.get(name);
    if (earlier !== undefined) return earlier;
    const tensor = this.#constant(name);
    const labelled = tensor === undefined ? freezeAll(this.#shapeOf(name)) : labelConstant(tensor);
    this.#constants.set(name, labelled);
    return labelled;
  }

  #constant(name: string): Tensor | undefined {
    return this.#values.has(name)
      ? undefined
      : (this.#graph.constants.get(name) ?? this.#probe.constants.get(name));
  }

  #shapeOf(name: string): readonly number[] {
    return this.#probe.types.get(name)?.shape ?? this.#graph.constants.get(name)?.shape ?? [];
  }
}
