import { sameShape, type TensorInfo } from "@isthmus/core";
import type { Node } from "@isthmus/graph";
import { ELEMENT_WISE_OPERATORS, intAttribute, wrapAxis } from "@isthmus/graph/ir";

const ELEMENT_WISE: ReadonlySet<string> = new Set(ELEMENT_WISE_OPERATORS);

/** Axis along which a node wants a value in parts; if it is strict, the node takes parts of no other axis. */
interface Wish {
  readonly axis: number;
  readonly isStrict: boolean;
}

/**
 * Chooses the axis along which each value is divided into parts: values that element-wise nodes combine have
 * the same one, so that an optimiser's state is divided as its weight is. Tables that are looked up are
 * divided into columns, weights of products along the axis of their outputs, other values along the first
 * axis.
 * @returns a function from the name of a value to its axis
 */
export function planAxes(
  nodes: readonly Node[],
  types: ReadonlyMap<string, TensorInfo>,
): (name: string) => number {
  const rootOf = groupAlike(nodes, types);
  const wishes = new Map<string, Wish>();
  for (const node of nodes) {
    for (const [i, input] of node.inputs.entries()) {
      const wish = wishOf(node, i, types);
      const earlier = wishes.get(rootOf(input));
      const isNew = earlier === undefined || (wish?.isStrict === true && !earlier.isStrict);
      if (wish !== undefined && isNew) wishes.set(rootOf(input), wish);
    }
  }
  return (name) => wishes.get(rootOf(name))?.axis ?? 0;
}

/**
 * Groups values of one shape that nodes combine element by element.
 * @returns a function from the name of a value to one that stands for its group
 */
function groupAlike(
  nodes: readonly Node[],
  types: ReadonlyMap<string, TensorInfo>,
): (name: string) => string {
  const parents = new Map<string, string>();
  const rootOf = (name: string): string => {
    let root = name;
    for (let parent = parents.get(root); parent !== undefined; parent = parents.get(root)) root = parent;
    return root;
  };
  for (const node of nodes) {
    const [output = ""] = node.outputs;
    const shape = types.get(output)?.shape ?? [];
    const alike = combinedInputs(node).filter((input) => sameShape(types.get(input)?.shape ?? [], shape));
    for (const input of alike) {
      const [one, other] = [rootOf(input), rootOf(output)];
      if (one !== other) parents.set(one, other);
    }
  }
  return rootOf;
}

/** Returns the inputs that a node combines with its output element by element. */
function combinedInputs({ op, domain, inputs }: Node): readonly string[] {
  if (domain !== "") return [];
  if (op === "ScatterND") return inputs.slice(0, 1);
  return ELEMENT_WISE.has(op) ? inputs.filter((input) => input !== "") : [];
}

function wishOf(node: Node, input: number, types: ReadonlyMap<string, TensorInfo>): Wish | undefined {
  const shape = types.get(node.inputs[input] ?? "")?.shape;
  if (shape === undefined) return undefined;
  const last = shape.length - 1;
  if (node.op === "Gather" && input === 0) {
    const axis = wrapAxis(intAttribute(node, "axis", 0), shape.length);
    return { axis: axis === last ? 0 : last, isStrict: true };
  }
  if (node.op === "ScatterND" && input === 0) return { axis: last, isStrict: true };
  if (node.op === "MatMul" && input === 1) return { axis: last, isStrict: false };
  if (node.op === "Gemm" && input === 1)
    return { axis: intAttribute(node, "transB", 0) === 1 ? 0 : 1, isStrict: false };
  return undefined;
}
