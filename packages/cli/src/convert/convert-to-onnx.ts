import { at, saveFile, UsageError, withCheckpoints } from "@isthmus/core";
import { encodeNetwork } from "@isthmus/graph";
import { openBound } from "@isthmus/zoo";
import { readingOf } from "../open/reading-of.ts";
import type { BindingOptions } from "../options/binding-options.ts";
import type { EngineOptions } from "../options/engine-option.ts";
import type { Context } from "../verb.ts";

/** Summary of the written file, in the same form as `convertCheckpoint` returns it. */
interface WrittenOnnx {
  readonly path: string;
  readonly files: readonly string[];
  readonly bytes: number;
}

/**
 * Writes a checkpoint as one ONNX model: the graph that is named, with the weights of the checkpoint inside.
 * @throws UsageError if no graph is named, or the output does not end in .onnx
 */
export async function convertToOnnx(
  input: string,
  output: string,
  options: BindingOptions & Partial<EngineOptions> & { readonly graph?: string | undefined },
  context: Context,
): Promise<WrittenOnnx> {
  const { graph } = options;
  if (graph === undefined) {
    throw new UsageError(
      `Cannot write "${output}" as an ONNX file must have the graph that the weights belong to: add --graph model.onnx`,
    );
  }
  if (!output.endsWith(".onnx")) {
    throw new UsageError(
      `Cannot convert to "${output}" with --graph as only a file ending in .onnx has a graph: leave --graph out`,
    );
  }
  return withCheckpoints([input] as const, async ([checkpoint]) => {
    const { architecture } = await openBound([input], [checkpoint], {}, await readingOf(options, context));
    const { network } = at(architecture.networks, 0, "network");
    context.progress("Encoding");
    const bytes = await encodeNetwork(architecture.graph, network);
    await saveFile(output, bytes, [...checkpoint.files, graph]);
    return { path: output, files: [output], bytes: bytes.length };
  });
}
