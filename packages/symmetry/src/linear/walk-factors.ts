import type { Tensor } from "@isthmus/core";
import type { Graph, Node, Probe } from "@isthmus/graph";
import { valuesRead } from "@isthmus/graph/ir";
import type { Labelled } from "../labels/field.ts";
import type { LabelledWeight } from "../labels/label-weight.ts";
import { controlInputs } from "../rules/control-inputs.ts";
import { inputName, type RuleContext } from "../rules/rule.ts";
import type { FactorAlgebra } from "./factor-algebra.ts";
import { FACTOR_RULES } from "./factor-rules.ts";
import type { FactorRule, WalkAlgebra, WalkRule } from "./rule.ts";

/** The graph through which codes are followed, and the labels on its weights. */
export interface LabelWalk {
  /** Graph whose nodes are visited in order. */
  readonly graph: Graph;
  /** Shapes and constants of the graph. */
  readonly probe: Probe;
  /** Labels of every weight by its name. */
  readonly weights: ReadonlyMap<string, LabelledWeight>;
  /** Whether a label may have a factor other than 1. */
  readonly mayChange: (label: number) => boolean;
}

/** The graph that factors are followed through. */
export interface FactorWalk extends LabelWalk {
  /** Names of weights that have no factors, regardless of their labels. */
  readonly unchanged?: ReadonlySet<string>;
  /** Rules of single nodes, which replace the rules of their operators. */
  readonly overrides?: ReadonlyMap<Node, FactorRule>;
}

/**
 * Gives each label of each weight a factor and follows the factors through the graph: operators that do not
 * pass factors demand that factors are 1, sums that they are equal, contractions that they cancel. The
 * demands are recorded in the algebra's sets.
 *
 * @returns the factors on each value that the nodes compute
 */
export function walkFactors(walk: FactorWalk, algebra: FactorAlgebra): ReadonlyMap<string, Labelled> {
  const { overrides, unchanged } = walk;
  const ruleOf = (node: Node): FactorRule | undefined =>
    overrides?.get(node) ?? (node.domain === "" ? FACTOR_RULES.get(node.op) : undefined);
  const computed = walkGraph(walk, algebra, ruleOf, unchanged);
  for (const name of walk.graph.uncounted ?? []) {
    const { shape, fields } = computed.get(name) ?? NOTHING;
    // No output that counts shows these units, such as the classes of a second head.
    const shown = fields.filter(({ data }) => data.every((factor) => algebra.cellOf(factor) === -1));
    algebra.fix({ shape, fields: shown });
  }
  return computed;
}

/**
 * Follows the codes that an algebra gives to the labels of weights through the graph; values that a node
 * without a rule reads must not change.
 *
 * @param ruleOf - returns the rule of a node, if it has one
 * @param unchanged - weights that have no codes
 * @returns the codes on each value that the nodes compute
 */
export function walkGraph<A extends WalkAlgebra>(
  walk: LabelWalk,
  algebra: A,
  ruleOf: (node: Node) => WalkRule<A> | undefined,
  unchanged: ReadonlySet<string> = new Set(),
): ReadonlyMap<string, Labelled> {
  return new Walker(walk, algebra, ruleOf, unchanged).run();
}

const NOTHING: Labelled = { shape: [], fields: [] };

class Walker<A extends WalkAlgebra> {
  readonly #walk: LabelWalk;
  readonly #algebra: A;
  readonly #ruleOf: (node: Node) => WalkRule<A> | undefined;
  readonly #unchanged: ReadonlySet<string>;
  readonly #values = new Map<string, Labelled>();

  constructor(
    walk: LabelWalk,
    algebra: A,
    ruleOf: (node: Node) => WalkRule<A> | undefined,
    unchanged: ReadonlySet<string>,
  ) {
    this.#walk = walk;
    this.#algebra = algebra;
    this.#ruleOf = ruleOf;
    this.#unchanged = unchanged;
  }

  run(): ReadonlyMap<string, Labelled> {
    const { graph, weights } = this.#walk;
    for (const [name, weight] of weights) {
      const isPlain = this.#unchanged.has(name);
      this.#values.set(name, isPlain ? { shape: weight.tensor.shape, fields: [] } : this.#codesOf(weight));
    }
    for (const { name } of graph.inputs) this.#values.set(name, this.#plain(name));
    for (const node of graph.nodes) this.#visit(node);
    this.#algebra.node = "";
    for (const { name } of graph.outputs) this.#algebra.fix(this.#values.get(name) ?? NOTHING);
    const computed = graph.nodes.flatMap(({ outputs }) => outputs);
    return new Map(computed.map((name) => [name, this.#values.get(name) ?? NOTHING]));
  }

  #codesOf({ tensor }: LabelledWeight): Labelled {
    const { mayChange } = this.#walk;
    const fields = tensor.fields.filter(({ frozen }) => !frozen);
    const codes = fields.map((field) => ({
      ...field,
      data: field.data.map((label) => (mayChange(label) ? this.#algebra.codeOf(label) : 0)),
    }));
    const changing = codes.filter(({ data }) => data.some((code) => code !== 0));
    return { shape: tensor.shape, fields: changing };
  }

  #visit(node: Node): void {
    const read = valuesRead(node);
    if (!read.some((name) => this.#values.has(name))) return;
    this.#algebra.node = node.name;
    const results = this.#ruleOf(node)?.(this.#contextOf(node));
    const fixed = results === undefined ? read : controlInputs(node);
    for (const name of fixed) this.#algebra.fix(this.#values.get(name) ?? NOTHING);
    node.outputs.forEach((name, i) => {
      if (name === "") return;
      this.#values.set(name, { shape: this.#shapeOf(name), fields: results?.[i]?.fields ?? [] });
    });
  }

  #contextOf(node: Node): RuleContext & { readonly algebra: A } {
    const codesOn = (name: string): Labelled | undefined =>
      name === "" ? undefined : (this.#values.get(name) ?? this.#plain(name));
    return {
      node,
      algebra: this.#algebra,
      store: this.#algebra.store,
      opset: this.#walk.graph.opsets.get("") ?? 0,
      inputs: node.inputs.map(codesOn),
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
