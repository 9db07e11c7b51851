import { DTYPES, type DType, sizeOf, type Tensor, viewData } from "@isthmus/core";
import fc from "fast-check";
import type { Attribute, Graph, Node, ValueInfo, WeightInfo } from "../src/ir/graph.ts";

const ALL = Object.keys(DTYPES) as DType[];
const FLOATS = ALL.filter((dtype) => DTYPES[dtype].float);

/** Text that UTF-8 can hold, never empty. */
const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 6 });
const shape = fc.array(fc.nat({ max: 3 }), { maxLength: 3 });

function tensor(dtypes: readonly DType[] = ALL): fc.Arbitrary<Tensor> {
  return fc.tuple(fc.constantFrom(...dtypes), shape).chain(([dtype, extents]) => {
    const length = sizeOf(extents) * DTYPES[dtype].bytes;
    return fc
      .uint8Array({ minLength: length, maxLength: length })
      .map((bytes) => ({ dtype, shape: extents, data: viewData(dtype, bytes) }));
  });
}

function info(name: string): fc.Arbitrary<ValueInfo> {
  return fc
    .record({ dtype: fc.constantFrom(...ALL), extents: fc.option(fc.array(fc.oneof(fc.nat(), text))) })
    .map(({ dtype, extents }) => ({ name, dtype, ...(extents === null ? {} : { shape: extents }) }));
}

const LARGEST = 2 ** 63;

function attribute(depth: number): fc.Arbitrary<Attribute> {
  const float = fc.float();
  const int = fc.oneof(fc.maxSafeInteger(), fc.constantFrom(LARGEST, -LARGEST));
  const string = fc.string({ unit: "grapheme" });
  const of = <T extends Attribute["type"], V>(type: T, value: fc.Arbitrary<V>) =>
    value.map((item) => ({ type, value: item }));
  const plain = [
    of("float", float),
    of("int", int),
    of("string", string),
    of("tensor", tensor()),
    of("floats", fc.array(float)),
    of("ints", fc.array(int)),
    of("strings", fc.array(string)),
  ];
  return fc.oneof(...plain, ...(depth > 0 ? [of("graph", subgraph(depth - 1))] : []));
}

interface NodeSketch {
  readonly name: string;
  readonly op: string;
  readonly domain: string;
  /** Indices of earlier values, modulo their number; 0 leaves the input out. */
  readonly inputs: readonly number[];
  /** Whether each output is computed. */
  readonly outputs: readonly boolean[];
  readonly attributes: readonly (readonly [string, Attribute])[];
}

function node(depth: number): fc.Arbitrary<NodeSketch> {
  return fc.record({
    name: text,
    op: text,
    domain: fc.constantFrom("", "com.example"),
    inputs: fc.array(fc.nat(), { maxLength: 3 }),
    outputs: fc.array(fc.boolean(), { minLength: 1, maxLength: 2 }),
    attributes: fc.uniqueArray(fc.tuple(text, attribute(depth)), {
      maxLength: 3,
      selector: ([name]) => name,
    }),
  });
}

/** Connects sketches: every input is an earlier value. */
function connect(
  sketches: readonly NodeSketch[],
  earlier: readonly string[],
): { nodes: Node[]; values: string[] } {
  const values = [...earlier];
  const nodes = sketches.map(({ name, op, domain, inputs, outputs, attributes }, index): Node => {
    const readable = ["", ...values];
    const results = outputs.map((isComputed, place) => (isComputed ? `${op}.${index}.${place}` : ""));
    values.push(...results.filter((output) => output !== ""));
    return {
      name: `${name}.${index}`,
      op,
      domain,
      inputs: inputs.map((pick) => readable.at(pick % readable.length) as string),
      outputs: results,
      attributes: new Map(attributes),
    };
  });
  return { nodes, values };
}

function named<T>(prefix: string, item: fc.Arbitrary<T>): fc.Arbitrary<Map<string, T>> {
  return fc
    .array(fc.tuple(text, item), { maxLength: 3 })
    .map((items) => new Map(items.map(([name, value], index) => [`${prefix}${index}.${name}`, value])));
}

function subgraph(depth: number): fc.Arbitrary<Graph> {
  return fc
    .record({
      name: text,
      inputs: fc.tuple(info("in.0"), info("in.1")),
      constants: named("c", tensor()),
      sketches: fc.array(node(depth), { maxLength: 2 }),
    })
    .map(({ name, inputs, constants, sketches }) => {
      const { nodes, values } = connect(sketches, [
        ...inputs.map((input) => input.name),
        ...constants.keys(),
      ]);
      const outputs = [{ name: values.at(-1) ?? "" }];
      return { name, opsets: new Map(), inputs, weights: new Map(), constants, nodes, outputs };
    });
}

/**
 * Any graph as `decodeGraph` gives it: data inputs have a symbolic extent, weights are floats, and constants
 * are what it does not take for a weight.
 */
export function arbitraryGraph(): fc.Arbitrary<Graph> {
  const weight = fc
    .record({ dtype: fc.constantFrom(...FLOATS), shape })
    .map((weightInfo): WeightInfo => ({ ...weightInfo, role: "parameter" }));
  const constant = tensor().filter(({ dtype, data }) => !DTYPES[dtype].float || data.length <= 1);
  return fc
    .record({
      name: text,
      opset: fc.integer({ min: 7, max: 22 }),
      dtype: fc.constantFrom(...ALL),
      weights: named("w", weight),
      constants: named("c", constant),
      sketches: fc.array(node(2), { minLength: 1, maxLength: 4 }),
    })
    .map(({ name, opset, dtype, weights, constants, sketches }) => {
      const { nodes, values } = connect(sketches, ["x", ...weights.keys(), ...constants.keys()]);
      return {
        name,
        opsets: new Map([
          ["", opset],
          ["com.example", 1],
        ]),
        inputs: [{ name: "x", dtype, shape: ["N", 3] }],
        weights,
        constants,
        nodes,
        outputs: [{ name: values.at(-1) ?? "x" }],
      };
    });
}
