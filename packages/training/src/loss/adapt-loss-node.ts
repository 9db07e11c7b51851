import { at, createTensor, entry, type Tensor, UnsupportedError } from "@isthmus/core";
import type { Graph, Node } from "@isthmus/graph";
import { ELEMENT_WISE_OPERATORS, int, ints, REDUCTION_OPERATORS } from "@isthmus/graph/ir";

/** Graphs that a node is taken from and put into. */
interface Adaptation {
  /** Constants of the graph that it is taken from, to which constants of its new form are added. */
  readonly constants: Map<string, Tensor>;
  readonly from: Pick<Graph, "opsets">;
  readonly to: Pick<Graph, "opsets">;
}

/** Operators other than reductions whose form is the same since version 13. */
const SAME_SINCE_13 = new Set([
  ...ELEMENT_WISE_OPERATORS,
  ..."Gather GatherElements LogSoftmax Softmax Unsqueeze Squeeze Reshape Transpose Concat Slice Expand MatMul Shape OneHot ReduceSum Constant".split(
    " ",
  ),
]);

/** Version since which reductions other than sums take their axes as an input. */
const AXES_ARE_INPUT = 18;

/**
 * Turns a node of a loss graph into the nodes that another version of ONNX's operators has, and the
 * cross-entropy of PyTorch's exports into operators that can be differentiated.
 * @throws UnsupportedError if the versions differ, and the form of the operator may, too
 */
export function adaptLossNode(
  attempt: string,
  node: Node,
  { constants, from, to }: Adaptation,
): readonly Node[] {
  const ignored = Number(node.attributes.get("ignore_index")?.value ?? -1);
  if (node.op === "SoftmaxCrossEntropyLoss" && ignored < 0) return crossEntropyNodes(node, constants);
  const [own = 0, other = 0] = [from, to].map(({ opsets }) => opsets.get(node.domain));
  if (own === other) return [node];
  const isOld = Math.min(own, other) < 13;
  if (!isOld && SAME_SINCE_13.has(node.op)) return [node];
  if (!isOld && REDUCTION_OPERATORS.includes(node.op)) {
    const moved = own >= AXES_ARE_INPUT === other >= AXES_ARE_INPUT ? node : moveAxes(node, constants, other);
    if (moved !== undefined) return [moved];
  }
  throw new UnsupportedError(
    `Cannot ${attempt} by a loss graph as the form of ${node.op} in version ${own} of ONNX's operators may not be that of the network's version ${other}: export the loss with opset_version=${other}`,
    { feature: node.op },
  );
}

/** Makes axes of a reduction an attribute or an input; undefined if they are computed. */
function moveAxes(node: Node, constants: Map<string, Tensor>, version: number): Node | undefined {
  const { axes, noop_with_empty_axes: _, ...attributes } = Object.fromEntries(node.attributes);
  const [input = "", name = ""] = node.inputs;
  if (version < AXES_ARE_INPUT) {
    const axesGiven = constants.get(name);
    if (name !== "" && axesGiven === undefined) return undefined;
    const moved = axesGiven && {
      axes: ints(Array.from(axesGiven.data as Iterable<number | bigint>, Number)),
    };
    return { ...node, inputs: [input], attributes: new Map(Object.entries({ ...attributes, ...moved })) };
  }
  if (axes === undefined) return node;
  const added = `${node.name} axes`;
  const numbers = BigInt64Array.from(axes.value as readonly number[], BigInt);
  constants.set(added, createTensor("i64", [numbers.length], numbers));
  return { ...node, inputs: [input, added], attributes: new Map(Object.entries(attributes)) };
}

/** Makes the nodes of the cross-entropy of logits `[batch, classes]`, whose classes may have weights. */
function crossEntropyNodes(node: Node, constants: Map<string, Tensor>): readonly Node[] {
  const [logits = "", labels = "", weights = ""] = node.inputs;
  const reduction = String(node.attributes.get("reduction")?.value ?? "mean");
  const [name, axis] = [node.name, `${node.name} axis`];
  constants.set(axis, createTensor("i64", [1], BigInt64Array.of(1n)));
  const make = (
    op: string,
    inputs: readonly string[],
    what: string,
    attributes: Node["attributes"] = new Map(),
  ): Node => ({
    name: `${name} ${what}`,
    op,
    domain: "",
    inputs,
    outputs: [`${name} ${what}`],
    attributes,
  });
  const onAxis = (value: number) => new Map([["axis", int(value)]]);
  const whole = new Map([["keepdims", int(0)]]);
  const of = (what: string) => `${name} ${what}`;
  const single = [
    make("LogSoftmax", [logits], "logarithms", onAxis(1)),
    make("Unsqueeze", [labels, axis], "columns"),
    make("GatherElements", [of("logarithms"), of("columns")], "column", onAxis(1)),
    make("Squeeze", [of("column"), axis], "likelihoods"),
    make("Neg", [of("likelihoods")], "plain"),
  ];
  const weighed = [
    make("Gather", [weights, labels], "weights", onAxis(0)),
    make("Mul", [of("plain"), of("weights")], "losses"),
  ];
  const losses = weights === "" ? of("plain") : of("losses");
  const mean = [make("ReduceMean", [losses], "mean", whole)];
  const means = [
    ...mean,
    make("ReduceMean", [of("weights")], "weight", whole),
    make("Div", [of("mean"), of("weight")], "ratio"),
  ];
  const reduced = new Map<string, readonly Node[]>([
    ["none", []],
    ["sum", [make("ReduceSum", [losses], "sum", whole)]],
    ["mean", weights === "" ? mean : means],
  ]);
  const all = [...single, ...(weights === "" ? [] : weighed), ...entry(reduced, reduction, "reduction")];
  const last = at(all, all.length - 1, "node");
  return [...all.slice(0, -1), { ...last, outputs: node.outputs.slice(0, 1) }];
}
