import type { Tensor } from "@isthmus/core";
import type { Graph, Node, Probe } from "@isthmus/graph";
import { valuesRead } from "@isthmus/graph/ir";
import type { Labelled } from "../labels/field.ts";
import { LabelStore } from "../labels/label-store.ts";
import type { LabelledWeight } from "../labels/label-weight.ts";
import { controlInputs } from "../rules/control-inputs.ts";
import { inputName } from "../rules/rule.ts";
import type { FactorAlgebra } from "./factor-algebra.ts";
import { FACTOR_RULES } from "./factor-rules.ts";
import type { FactorContext, FactorRule } from "./rule.ts";
import { factorOf, ONE } from "./signed-sets.ts";

/** The graph that factors are followed through, and the labels on its weights. */
export interface FactorWalk {
  readonly graph: Graph;
  readonly probe: Probe;
  readonly weights: ReadonlyMap<string, LabelledWeight>;
  /** Whether a label may have a factor other than 1. */
  readonly mayChange: (label: number) => boolean;
  /** Weights that have no factors, whatever their labels. */
  readonly unchanged?: ReadonlySet<string>;
  /** Rules of single nodes, which replace the rules of their operators. */
  readonly overrides?: ReadonlyMap<Node, FactorRule>;
}

/**
 * Gives each label of each weight a factor and follows the factors through the graph: operators that do not
 * pass factors demand that they are 1, sums that they are equal, contractions that they cancel. The demands
 * are recorded in the algebra's sets.
 *
 * @returns the factors on each value that the nodes compute
 */
export function walkFactors(walk: FactorWalk, algebra: FactorAlgebra): ReadonlyMap<string, Labelled> {
  return new Walker(walk, algebra).run();
}

const NOTHING: Labelled = { shape: [], fields: [] };

class Walker {
  readonly #walk: FactorWalk;
  readonly #algebra: FactorAlgebra;
  readonly #values = new Map<string, Labelled>();
  /** The store that moving rules of labels need; it holds factors as labels, each in a separate class. */
  readonly #store = new LabelStore();

  constructor(walk: FactorWalk, algebra: FactorAlgebra) {
    this.#walk = walk;
    this.#algebra = algebra;
    this.#store.create(factorOf(algebra.variables) + 2);
  }

  run(): ReadonlyMap<string, Labelled> {
    const { graph, weights } = this.#walk;
    for (const [name, weight] of weights) {
      const isPlain = this.#walk.unchanged?.has(name) ?? false;
      this.#values.set(name, isPlain ? { shape: weight.tensor.shape, fields: [] } : this.#factorsOf(weight));
    }
    for (const { name } of graph.inputs) this.#values.set(name, this.#plain(name));
    for (const node of graph.nodes) this.#visit(node);
    this.#algebra.node = "";
    for (const { name } of graph.outputs) this.#algebra.fix(this.#values.get(name) ?? NOTHING);
    const computed = graph.nodes.flatMap(({ outputs }) => outputs);
    return new Map(computed.map((name) => [name, this.#values.get(name) ?? NOTHING]));
  }

  #factorsOf({ tensor }: LabelledWeight): Labelled {
    const { mayChange } = this.#walk;
    const fields = tensor.fields.filter(({ frozen }) => !frozen);
    const factors = fields.map((field) => ({
      ...field,
      data: field.data.map((label) => (mayChange(label) ? factorOf(label) : ONE)),
    }));
    const changing = factors.filter(({ data }) => data.some((factor) => factor !== ONE));
    return { shape: tensor.shape, fields: changing };
  }

  #visit(node: Node): void {
    const read = valuesRead(node);
    if (!read.some((name) => this.#values.has(name))) return;
    this.#algebra.node = node.name;
    const general = node.domain === "" ? FACTOR_RULES.get(node.op) : undefined;
    const rule = this.#walk.overrides?.get(node) ?? general;
    const results = rule?.(this.#contextOf(node));
    const fixed = results === undefined ? read : controlInputs(node);
    for (const name of fixed) this.#algebra.fix(this.#values.get(name) ?? NOTHING);
    node.outputs.forEach((name, i) => {
      if (name === "") return;
      this.#values.set(name, { shape: this.#shapeOf(name), fields: results?.[i]?.fields ?? [] });
    });
  }

  #contextOf(node: Node): FactorContext {
    const factorsOn = (name: string): Labelled | undefined =>
      name === "" ? undefined : (this.#values.get(name) ?? this.#plain(name));
    return {
      node,
      algebra: this.#algebra,
      store: this.#store,
      opset: this.#walk.graph.opsets.get("") ?? 0,
      inputs: node.inputs.map(factorsOn),
      outputs: node.outputs.map((name) => (name === "" ? undefined : this.#shapeOf(name))),
      isActivation: () => true,
      constant: (input) => {
        const name = inputName(node, input);
        return name === undefined ? undefined : this.#constant(name);
      },
    };
  }

  #plain(name: string): Labelled {
    return { shape: this.#shapeOf(name), fields: [] };
  }

  #constant(name: string): Tensor | undefined {
    const { graph, probe } = this.#walk;
    return this.#values.has(name) ? undefined : (graph.constants.get(name) ?? probe.constants.get(name));
  }

  #shapeOf(name: string): readonly number[] {
    const { graph, probe } = this.#walk;
    return probe.types.get(name)?.shape ?? graph.constants.get(name)?.shape ?? [];
  }
}
