import { byteLengthOf, sizeOf, withCheckpoints } from "@isthmus/core";
import { readArchitecture } from "@isthmus/zoo";
import { commandOf } from "./commands.ts";
import { formatBytes } from "./format-bytes.ts";
import type { Inspected, ListedTensor, WithCommand } from "./lab-requests.ts";

/** Longest value of the metadata that is shown. */
const LONGEST = 200;

/** Lists what is in a network or in a graph. */
export async function inspectFile(path: string): Promise<WithCommand<Inspected>> {
  const inspected = /\.onnx$/i.test(path) ? await inspectGraph(path) : await inspectCheckpoint(path);
  return { ...inspected, command: commandOf("inspect", path) };
}

function inspectCheckpoint(path: string): Promise<Inspected> {
  return withCheckpoints([path], async ([checkpoint]) => {
    const tensors = [...checkpoint.tensors].map(
      ([name, { dtype, shape, stored }]): ListedTensor => ({
        name,
        dtype: stored === undefined ? dtype : `${dtype} (${stored})`,
        shape,
        bytes: byteLengthOf({ dtype, shape }),
      }),
    );
    const metadata = Object.entries(checkpoint.metadata).map(
      ([key, value]) => [key, value.length > LONGEST ? `${value.slice(0, LONGEST)} …` : value] as const,
    );
    return { tensors, facts: [...totals(tensors), ...metadata] };
  });
}

async function inspectGraph(path: string): Promise<Inspected> {
  const { graph } = await readArchitecture(path);
  const tensors = [...graph.weights].map(
    ([name, { dtype, shape }]): ListedTensor => ({
      name,
      dtype,
      shape,
      bytes: byteLengthOf({ dtype, shape }),
    }),
  );
  const counts = new Map<string, number>();
  for (const { op } of graph.nodes) counts.set(op, (counts.get(op) ?? 0) + 1);
  const operators = [...counts].sort(([, a], [, b]) => b - a).map(([op, count]) => `${count} ${op}`);
  const values = (some: typeof graph.inputs | typeof graph.outputs) =>
    some.map(({ name, shape }) => `${name} [${shape?.join(", ") ?? "?"}]`).join(", ");
  return {
    tensors,
    facts: [
      ...totals(tensors),
      ["inputs", values(graph.inputs)],
      ["outputs", values(graph.outputs)],
      ["nodes", `${graph.nodes.length}: ${operators.join(", ")}`],
    ],
  };
}

function totals(tensors: readonly ListedTensor[]): Inspected["facts"] {
  const parameters = tensors.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const bytes = tensors.reduce((sum, tensor) => sum + tensor.bytes, 0);
  return [
    ["tensors", tensors.length.toLocaleString("en")],
    ["parameters", parameters.toLocaleString("en")],
    ["size", formatBytes(bytes)],
  ];
}
