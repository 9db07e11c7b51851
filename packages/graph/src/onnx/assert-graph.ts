import { FormatError } from "@isthmus/core";
import type { Graph } from "../ir/graph.ts";

/**
 * Checks that every value a graph uses is computed before it is used, in branches and loop bodies too, and
 * that no two values have the same name.
 * @param source - name of the file for messages
 * @throws FormatError that names the value
 */
export function assertConnected(graph: Graph, source: string): void {
  assertScope(graph, new Scope(source));
}

function assertScope(graph: Graph, scope: Scope): void {
  for (const { name } of graph.inputs) scope.define(name);
  for (const name of graph.weights.keys()) scope.define(name);
  for (const name of graph.constants.keys()) scope.define(name);
  for (const node of graph.nodes) {
    const missing = node.inputs.find((name) => !scope.knows(name));
    if (missing !== undefined) {
      scope.fail(
        `node "${node.name}" needs value "${missing}", which no earlier node computes; a file that was exported without its weights (export_params=False) lacks its constants, too: export it with them`,
      );
    }
    for (const attribute of node.attributes.values()) {
      if (attribute.type === "graph") assertScope(attribute.value, new Scope(scope.source, scope));
    }
    for (const name of node.outputs) scope.define(name);
  }
  const missing = graph.outputs.find(({ name }) => !scope.knows(name));
  if (missing !== undefined) scope.fail(`no node computes its output "${missing.name}"`);
}

/** Names of the values of a graph, and of the graphs around it; `""` is the name of omitted values. */
class Scope {
  readonly source: string;
  readonly #names = new Set<string>();
  readonly #outer: Scope | undefined;

  constructor(source: string, outer?: Scope) {
    this.source = source;
    this.#outer = outer;
  }

  /** Adds a value of the graph. @throws FormatError if the name is taken */
  define(name: string): void {
    if (name === "") return;
    if (this.#names.has(name)) this.fail(`the name "${name}" must stand for one value: it stands for two`);
    this.#names.add(name);
  }

  /** Checks whether a value is computed in the graph or around it. */
  knows(name: string): boolean {
    return name === "" || this.#names.has(name) || this.#outer?.knows(name) === true;
  }

  /** Throws the error for a rule that the graph breaks. */
  fail(rule: string): never {
    throw new FormatError(`Cannot read "${this.source}" as ${rule}`, { format: "onnx" });
  }
}

/** Largest extent of an axis: vocabularies, the longest axes in use, have a few hundred thousand entries. */
const MAX_EXTENT = 2 ** 28;

/** Maximum number of axes of a tensor: PyTorch allows 64. */
const MAX_RANK = 64;

/**
 * Checks that no input or weight of a graph claims more axes or longer axes than any real tensor has, as
 * memory is allocated for its elements.
 * @param source - name of the file for messages
 * @throws FormatError that names such an input or weight
 */
export function assertExtents({ inputs, weights }: Graph, source: string): void {
  for (const { name, shape = [] } of inputs) assertShape(name, shape, source);
  for (const [name, { shape }] of weights) assertShape(name, shape, source);
}

function assertShape(name: string, shape: readonly (number | string)[], source: string): void {
  const isFit = shape.every((extent) => typeof extent === "string" || extent <= MAX_EXTENT);
  if (isFit && shape.length <= MAX_RANK) return;
  const rule = `a tensor may have at most ${MAX_RANK} axes of extents up to ${MAX_EXTENT}`;
  const shown = shape.slice(0, MAX_RANK).join(", ");
  throw new FormatError(
    `Cannot read "${source}" as ${rule}: "${name}" has ${shape.length}, [${shown}${shape.length > MAX_RANK ? ", ..." : ""}]`,
    { format: "onnx" },
  );
}
