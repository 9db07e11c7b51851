import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { byteLengthOf, type Checkpoint, formatShape, openCheckpoint, sizeOf } from "@isthmus/core";
import { type Graph, readGraph, type ValueInfo } from "@isthmus/graph";
import { formatBytes, formatPairs, formatTable } from "../format/format-table.ts";
import { createVerb, formatExamples, type Outcome, type RunVerb } from "../verb.ts";

/** Creates the command `isthmus inspect`. */
export function inspectVerb(run: RunVerb): CommandUnknownOpts {
  return createVerb("inspect")
    .argument("<file>", "a checkpoint (.safetensors, a folder or index of them, .pt) or a graph (.onnx)")
    .addHelpText(
      "after",
      formatExamples(
        ["isthmus inspect model.safetensors", "names, types and shapes; tensors are not read"],
        ["isthmus inspect model.onnx", "inputs, weights and operators of a graph"],
      ),
    )
    .action((file, options) => run(options, () => inspect(file)));
}

async function inspect(file: string): Promise<Outcome> {
  if (file.endsWith(".onnx")) return inspectGraph(file, (await readGraph(file)).graph);
  const checkpoint = await openCheckpoint(file);
  try {
    return inspectCheckpoint(file, checkpoint);
  } finally {
    await checkpoint.close();
  }
}

function inspectCheckpoint(path: string, { tensors: infos, metadata, files }: Checkpoint): Outcome {
  const tensors = [...infos].map(([name, { dtype, shape }]) => ({
    name,
    dtype,
    shape,
    bytes: byteLengthOf({ dtype, shape }),
  }));
  const totals = {
    tensors: tensors.length,
    parameters: tensors.reduce((sum, { shape }) => sum + sizeOf(shape), 0),
    bytes: tensors.reduce((sum, { bytes }) => sum + bytes, 0),
  };
  const rows = tensors.map(({ name, dtype, shape, bytes }) => [
    name,
    dtype,
    formatShape(shape),
    formatBytes(bytes),
  ]);
  const table = formatTable(
    [{ title: "tensor" }, { title: "type" }, { title: "shape" }, { title: "size", align: "right" }],
    rows,
  );
  const count = totals.parameters.toLocaleString("en-US");
  const summary = `${totals.tensors} tensors, ${count} parameters, ${formatBytes(totals.bytes)}`;
  return {
    result: { kind: "checkpoint", path, files, totals, metadata, tensors },
    text: [table, "", summary, ...formatMetadata(metadata)].join("\n"),
  };
}

function formatMetadata(metadata: Readonly<Record<string, string>>): string[] {
  const entries = Object.entries(metadata);
  return entries.length === 0 ? [] : ["", "metadata", formatPairs(entries)];
}

function inspectGraph(path: string, graph: Graph): Outcome {
  const operators = countOperators(graph);
  const weights = [...graph.weights].map(([name, info]) => ({ name, ...info }));
  const parameters = weights.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const result = {
    kind: "graph",
    path,
    name: graph.name,
    opsets: Object.fromEntries(graph.opsets),
    inputs: graph.inputs,
    outputs: graph.outputs,
    totals: { weights: weights.length, parameters, nodes: graph.nodes.length },
    operators,
    weights,
  };
  const rows = weights.map(({ name, dtype, shape, role }) => [name, dtype, formatShape(shape), role]);
  const text = [
    formatTable([{ title: "weight" }, { title: "type" }, { title: "shape" }, { title: "role" }], rows),
    "",
    formatPairs([
      ["inputs", graph.inputs.map(formatValue).join(", ")],
      ["outputs", graph.outputs.map(formatValue).join(", ")],
      ["weights", `${weights.length}, ${parameters.toLocaleString("en-US")} parameters`],
      ["nodes", `${graph.nodes.length}: ${operators.map(({ op, count }) => `${count} ${op}`).join(", ")}`],
    ]),
  ].join("\n");
  return { result, text };
}

/** Counts how often each operator occurs, the most frequent first. */
function countOperators({ nodes }: Graph): { op: string; count: number }[] {
  const counts = new Map<string, number>();
  for (const { op } of nodes) counts.set(op, (counts.get(op) ?? 0) + 1);
  return [...counts]
    .map(([op, count]) => ({ op, count }))
    .sort((a, b) => b.count - a.count || (a.op < b.op ? -1 : 1));
}

function formatValue({ name, dtype, shape }: ValueInfo): string {
  return `${name} ${dtype ?? "?"} ${shape ? `[${shape.join(", ")}]` : "?"}`;
}
