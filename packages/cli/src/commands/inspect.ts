import { type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import { formatShape, sizeOf, UsageError, withCheckpoints } from "@isthmus/core";
import { type Graph, readGraph, type ValueInfo } from "@isthmus/graph";
import { BLOCK_ARCHITECTURES } from "@isthmus/recipe";
import { formatPairs, formatTable } from "../format/format-table.ts";
import { inspectTwo } from "../inspect/compare-checkpoints.ts";
import { inspectBlocks } from "../inspect/inspect-blocks.ts";
import { type InspectOptions, inspectCheckpoint } from "../inspect/inspect-checkpoint.ts";
import { HELP_GROUPS } from "../options/help-groups.ts";
import { type Context, createVerb, formatExamples, type Outcome, type RunVerb } from "../verb.ts";

/** Creates the command `isthmus inspect`. */
export function inspectVerb(run: RunVerb): CommandUnknownOpts {
  return createVerb("inspect", HELP_GROUPS.done)
    .argument(
      "<file>",
      "a checkpoint (.safetensors, a folder or index of them, .pt, .npz, .gguf, hub:owner/model) or a graph (.onnx)",
    )
    .argument("[other]", "a second checkpoint, to compare the first with")
    .option(
      "--stats",
      "measure smallest and largest number, mean, deviation, norm, zeros, NaN and infinities",
    )
    .option("--hash", "compute the SHA-256 of the elements of each tensor")
    .addOption(
      new Option(
        "--blocks [kind]",
        "of a diffusion model: which tensors are in which block, to which recipes may give values (default: the kind that has its blocks)",
      ).choices([...BLOCK_ARCHITECTURES.keys()]),
    )
    .addHelpText(
      "after",
      formatExamples(
        ["isthmus inspect model.safetensors", "names, types and shapes; tensors are not read"],
        ["isthmus inspect model.onnx", "inputs, weights and operators of a graph"],
        ["isthmus inspect model.gguf --stats", "statistics of every tensor"],
        [
          "isthmus inspect hub:owner/model --download",
          "a model of the Hugging Face hub: headers alone are fetched",
        ],
        ["isthmus inspect sdxl.safetensors --blocks", "blocks of a diffusion model, with their tensors"],
        ["isthmus inspect a.pt b.safetensors", "in which tensors, and how far, two checkpoints differ"],
      ),
    )
    .action((file, other, options) => {
      const headersOnly = other === undefined && !options.stats && !options.hash;
      return run({ ...options, headersOnly }, (context) => inspect(file, other, options, context));
    });
}

async function inspect(
  file: string,
  other: string | undefined,
  { blocks, ...options }: InspectOptions & { readonly blocks?: string | true | undefined },
  context: Context,
): Promise<Outcome> {
  if (blocks !== undefined) {
    if (other !== undefined || options.stats || options.hash) {
      throw new UsageError(
        `Cannot inspect "${file}" with --blocks beside another checkpoint, --stats or --hash as it lists the blocks of one model: leave them out`,
      );
    }
    return withCheckpoints([file] as const, async ([checkpoint]) => inspectBlocks(file, checkpoint, blocks));
  }
  if (other !== undefined) {
    const paths = [file, other] as const;
    return withCheckpoints(paths, (checkpoints) => inspectTwo(paths, checkpoints, options, context));
  }
  // Statistics and hashes are measured of the tensors that a graph contains.
  if (file.endsWith(".onnx") && !options.stats && !options.hash)
    return inspectGraph(file, (await readGraph(file)).graph);
  return withCheckpoints([file] as const, ([checkpoint]) =>
    inspectCheckpoint(file, checkpoint, options, context),
  );
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
