import { DTYPES, sameShape, type Tensor, viewBytes } from "@isthmus/core";
import type { Attribute, Node } from "../ir/graph.ts";

/** Tensors of a file, and the nodes that read them. */
interface Carried {
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly nodes: readonly Node[];
}

/**
 * Names that exporters invent for tensors computed from weights, such as transposes; other names belong to
 * parameters.
 */
const MADE_UP = /^(val_\d+|onnx::.*)$/;

/**
 * Merges copies of a tensor that a file contains several times under names that an exporter invented:
 * PyTorch's exporter writes a transposed copy of a recurrent weight for each step. Otherwise each copy would
 * be trained separately. Tensors whose numbers are all equal are not merged, as they need not come from the
 * same weight.
 */
export function shareCopies({ tensors, nodes }: Carried): Carried {
  const first = new Map<string, [string, Tensor][]>();
  const replaced = new Map<string, string>();
  for (const [name, tensor] of tensors) {
    if (!MADE_UP.test(name) || !DTYPES[tensor.dtype].float || isUniform(tensor)) continue;
    const key = `${tensor.dtype}[${tensor.shape}]`;
    const earlier = first.get(key) ?? [];
    const original = earlier.find(([, other]) => isEqual(tensor, other));
    if (original === undefined) first.set(key, [...earlier, [name, tensor]]);
    else replaced.set(name, original[0]);
  }
  if (replaced.size === 0) return { tensors, nodes };
  return {
    tensors: new Map([...tensors].filter(([name]) => !replaced.has(name))),
    nodes: nodes.map((node) => withNames(node, replaced)),
  };
}

function isUniform({ data }: Tensor): boolean {
  for (let i = 1; i < data.length; i++) if (data[i] !== data[0]) return false;
  return true;
}

function isEqual(one: Tensor, other: Tensor): boolean {
  if (one.dtype !== other.dtype || !sameShape(one.shape, other.shape)) return false;
  const [bytes, others] = [viewBytes(one.data), viewBytes(other.data)];
  for (let i = 0; i < bytes.length; i++) if (bytes[i] !== others[i]) return false;
  return true;
}

function withNames(node: Node, replaced: ReadonlyMap<string, string>): Node {
  const of = (name: string): string => replaced.get(name) ?? name;
  const attributes = new Map(
    [...node.attributes].map(([name, attribute]): [string, Attribute] => {
      if (attribute.type !== "graph") return [name, attribute];
      const { nodes, outputs, ...rest } = attribute.value;
      const inner = nodes.map((inside) => withNames(inside, replaced));
      const named = outputs.map((output) => ({ ...output, name: of(output.name) }));
      return [name, { type: "graph", value: { ...rest, nodes: inner, outputs: named } }];
    }),
  );
  return { ...node, inputs: node.inputs.map(of), attributes };
}
