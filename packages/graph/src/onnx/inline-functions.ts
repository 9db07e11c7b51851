import { FormatError, UnsupportedError } from "@isthmus/core";
import { inputName } from "../ir/input-name.ts";
import type {
  AttributeProto,
  FunctionProto,
  GraphProto,
  ModelProto,
  NodeProto,
  OperatorSetProto,
} from "./schema.ts";

/**
 * Maximum nesting of calls, which no real model reaches; it rules out functions that call each other in a
 * circle.
 */
const MAX_DEPTH = 32;

/**
 * Returns a model without local functions: each call is replaced by the nodes of the function it calls,
 * in subgraphs and other functions too. Names of values inside begin with the name of the call, so that
 * two calls do not share names.
 *
 * @param source - name of the file for messages
 * @throws FormatError if functions call each other in a circle
 * @throws UnsupportedError if a function is written for another version of an operator set than the model
 * @see onnx.proto3, FunctionProto
 */
export function inlineFunctions(model: ModelProto, source: string): ModelProto {
  const { functions = [], graph } = model;
  if (functions.length === 0 || graph === undefined) return model;
  const inliner = new Inliner(functions, source);
  const opsetImport = joinOperatorSets(model, source);
  return { ...model, graph: inliner.inGraph(graph, 0), opsetImport, functions: [] };
}

/**
 * Joins the operator sets of a model and of all its functions, without the domains
 * of the functions themselves.
 */
function joinOperatorSets(
  { opsetImport = [], functions = [] }: ModelProto,
  source: string,
): OperatorSetProto[] {
  const versions = new Map(opsetImport.map((set) => [nameOfDomain(set.domain), set]));
  for (const { name = "", opsetImport: sets = [] } of functions) {
    for (const set of sets) {
      const domain = nameOfDomain(set.domain);
      const first = versions.get(domain) ?? set;
      versions.set(domain, first);
      if (first.version === set.version) continue;
      throw new UnsupportedError(
        `Cannot read "${source}" as its functions must be written for the operator sets of the model: "${name}" is for version ${set.version} of ${domain || "ai.onnx"}, the model for ${first.version}; export it again without functions`,
        { feature: "functions of another operator set" },
      );
    }
  }
  const made = new Set(functions.map(({ domain }) => nameOfDomain(domain)));
  return [...versions].flatMap(([domain, set]) => (domain !== "" && made.has(domain) ? [] : [set]));
}

/** Returns the name of a domain, `""` for both names of ONNX's own. */
const nameOfDomain = (domain = ""): string => (domain === "ai.onnx" ? "" : domain);

const keyOf = (domain: string | undefined, name: string | undefined, overload = ""): string =>
  `${nameOfDomain(domain)}:${name}:${overload}`;

/**
 * Maximum number of nodes, which no real model reaches; a few functions that call each other twice could
 * expand to more nodes than fit into memory.
 */
const MAX_NODES = 1 << 18;

/** Names and attributes of one call of a function. */
interface Call {
  /** Returns the name of a value outside, or a name for a value inside that no other call uses. */
  readonly rename: (name: string) => string;
  /** Attributes that nodes inside refer to by name. */
  readonly attributes: ReadonlyMap<string, AttributeProto>;
}

/** Functions of a model, whose calls are replaced by their nodes. */
class Inliner {
  readonly #functions: ReadonlyMap<string, FunctionProto>;
  readonly #source: string;
  readonly #calls = new Map<string, number>();
  #nodes = 0;

  constructor(functions: readonly FunctionProto[], source: string) {
    this.#functions = new Map(
      functions.map((proto) => [keyOf(proto.domain, proto.name, proto.overload), proto]),
    );
    this.#source = source;
  }

  /** Returns a graph without calls. */
  inGraph(graph: GraphProto, depth: number): GraphProto {
    return { ...graph, node: (graph.node ?? []).flatMap((node) => this.#expand(node, depth)) };
  }

  #expand(node: NodeProto, depth: number): NodeProto[] {
    if (++this.#nodes > MAX_NODES) this.#fail(`its functions must expand to at most ${MAX_NODES} nodes`);
    const called = this.#functions.get(keyOf(node.domain, node.opType, node.overload));
    if (called === undefined) return [this.#withSubgraphs(node, depth)];
    if (depth >= MAX_DEPTH) {
      this.#fail(
        `functions must not call each other in a circle: "${called.name}" is called within ${MAX_DEPTH} others`,
      );
    }
    const call = this.#open(node, called);
    const inside = (called.node ?? []).map((inner) => renameNode(inner, call));
    return [...inside, ...this.#passOn(node, called, call)].flatMap((inner) =>
      this.#expand(inner, depth + 1),
    );
  }

  #fail(rule: string): never {
    throw new FormatError(`Cannot read "${this.#source}" as ${rule}`, { format: "onnx" });
  }

  #withSubgraphs(node: NodeProto, depth: number): NodeProto {
    if (!node.attribute?.some(({ g }) => g !== undefined)) return node;
    const attribute = node.attribute.map((proto) =>
      proto.g === undefined ? proto : { ...proto, g: this.inGraph(proto.g, depth) },
    );
    return { ...node, attribute };
  }

  /** Begins a call: maps the names inside the function to names outside. */
  #open(node: NodeProto, called: FunctionProto): Call {
    const prefix = this.#prefixOf(node);
    const operands = { inputs: node.input ?? [] };
    const names = new Map((called.input ?? []).map((name, i) => [name, inputName(operands, i)]));
    called.output?.forEach((name, i) => {
      const outside = node.output?.[i];
      if (!names.has(name) && outside) names.set(name, outside);
    });
    const attributes = [...(called.attributeProto ?? []), ...(node.attribute ?? [])];
    return {
      rename: (name) => (name === "" ? "" : (names.get(name) ?? `${prefix}/${name}`)),
      attributes: new Map(attributes.map((attribute) => [attribute.name ?? "", attribute])),
    };
  }

  #prefixOf({ name, opType = "", output = [] }: NodeProto): string {
    const [first = ""] = output;
    const prefix = name || `${opType}:${first}`;
    const count = (this.#calls.get(prefix) ?? 0) + 1;
    this.#calls.set(prefix, count);
    return count === 1 ? prefix : `${prefix}#${count}`;
  }

  /** Makes the nodes for outputs that are an input of the function, or the same value as another output. */
  #passOn(node: NodeProto, called: FunctionProto, { rename }: Call): NodeProto[] {
    return (called.output ?? []).flatMap((name, i) => {
      const outside = node.output?.[i];
      const inside = rename(name);
      return outside === undefined || outside === "" || outside === inside
        ? []
        : [{ opType: "Identity", input: [inside], output: [outside] }];
    });
  }
}

function renameNode(node: NodeProto, call: Call): NodeProto {
  const { name = "", input = [], output = [], attribute = [] } = node;
  return {
    ...node,
    ...(name === "" ? {} : { name: call.rename(`node:${name}`) }),
    input: input.map(call.rename),
    output: output.map(call.rename),
    attribute: attribute.flatMap((proto) => resolveAttribute(proto, call)),
  };
}

/**
 * Replaces a reference to an attribute of the call by that attribute; returns an empty list if the call lacks
 * it.
 */
function resolveAttribute(attribute: AttributeProto, call: Call): AttributeProto[] {
  const { name, refAttrName, g } = attribute;
  if (refAttrName) {
    const referred = call.attributes.get(refAttrName);
    return referred === undefined ? [] : [{ ...referred, ...(name === undefined ? {} : { name }) }];
  }
  return [g === undefined ? attribute : { ...attribute, g: renameGraph(g, call) }];
}

function renameGraph(graph: GraphProto, call: Call): GraphProto {
  const named = <T extends { name?: string }>(list: readonly T[] = []): T[] =>
    list.map((item) => ({ ...item, name: call.rename(item.name ?? "") }));
  return {
    ...graph,
    node: (graph.node ?? []).map((node) => renameNode(node, call)),
    initializer: named(graph.initializer),
    input: named(graph.input),
    output: named(graph.output),
  };
}
