import { existsSync } from "node:fs";
import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { expandPaths, UsageError } from "@isthmus/core";
import { isRecipeFile } from "@isthmus/recipe";
import { areAdapters, mergeAdapterPaths } from "../merge/merge-adapters.ts";
import { mergeByBlocks } from "../merge/merge-by-blocks.ts";
import { mergeFiles } from "../merge/merge-files.ts";
import { isBaseWithAdapter, mergeIntoBase } from "../merge/merge-into-base.ts";
import { addMergeOptions } from "../merge/merge-options.ts";
import { mergeRecipeFile } from "../merge/merge-recipe.ts";
import { HELP_GROUPS } from "../options/help-groups.ts";
import { hintAtMethod } from "../options/option-needs.ts";
import { createVerb, formatExamples, type RunVerb } from "../verb.ts";

/** Creates the command `isthmus merge`. */
export function mergeVerb(run: RunVerb): CommandUnknownOpts {
  return addMergeOptions(
    createVerb("merge", HELP_GROUPS.done).argument(
      "<checkpoints...>",
      "two or more checkpoints of one architecture, * and ? are wildcards for files; or one recipe in YAML; or base+adapter",
    ),
  )
    .addHelpText("after", EXAMPLES)
    .action((paths, options, command) =>
      run(options, async (context) => {
        assertNoMethod(paths, command);
        const [path] = paths;
        if (paths.length === 1 && path !== undefined && isRecipeFile(path))
          return mergeRecipeFile(path, options, context);
        if (paths.length === 1 && path !== undefined && (await isBaseWithAdapter(path)))
          return mergeIntoBase(path, options, context);
        const expanded = await expandPaths(paths);
        if (options.blocks !== undefined) return mergeByBlocks(expanded, options, context);
        if (await areAdapters(expanded)) return mergeAdapterPaths(expanded, options, context);
        return mergeFiles(expanded, options, context);
      }),
    );
}

/**
 * Checks that no method of the alignment stands among the checkpoints, behind `--align`.
 * @throws UsageError if one does, and there is no such file
 */
function assertNoMethod(paths: readonly string[], command: CommandUnknownOpts): void {
  const method = paths.find((path) => hintAtMethod(command, ["--align", path]) !== "" && !existsSync(path));
  if (method === undefined || command.getOptionValue("align") !== true) return;
  throw new UsageError(
    `Cannot merge "${method}" as there is no such checkpoint: ${hintAtMethod(command, ["--align", method])}`,
  );
}

const EXAMPLES = formatExamples(
  ["isthmus merge a.safetensors b.safetensors -o merged.safetensors", "the mean of two checkpoints"],
  ["isthmus merge recipe.yml -o merged", "what a recipe describes; recipes of mergekit are read as they are"],
  ["isthmus merge a.gguf b.gguf -o merged.gguf", "with the architecture and tokenizer of the first"],
  [
    "isthmus merge a.gguf b.gguf -o merged.gguf --dtype q4_k_m --imatrix imatrix.gguf",
    "quantised as by llama.cpp",
  ],
  ["isthmus merge recipe.yml --dry-run", "what would be merged, copied, read and written"],
  [
    "isthmus merge recipe.yml --explain 'model.layers.3.*'",
    "which line of the recipe gives these tensors which values",
  ],
  [
    "isthmus merge recipe.yml -o merged --queue redis://queue.example --storage s3://bucket/isthmus",
    "workers make the pieces, on machines that share no disk: isthmus worker with the same two options",
  ],
  [
    "isthmus merge lora-a lora-b --combination svd --weights .7,.3 -o lora",
    "LoRA adapters with each other, into an adapter that PEFT loads",
  ],
  [
    "isthmus merge a.safetensors b.safetensors --align --graph model.onnx -o merged.safetensors",
    "align B to A first, for networks that were trained apart",
  ],
  ["isthmus merge llama-a llama-b --align -o merged", "model folders with config.json: no graph is needed"],
  [
    "isthmus merge a.pt b.pt --align --method activation --statistics repair --graph model.onnx --data mnist:train@10000 -o merged.safetensors",
    "align by activations, and correct statistics by REPAIR",
  ],
  [
    "isthmus merge a.pt b.pt --align --graph cnn.onnx --layers 'conv*=.5,fc=1' -o merged.safetensors",
    "average some layers, take others of B, keep the rest of A",
  ],
  [
    "isthmus merge a.pt b.pt --align --graph cnn.onnx --layers-from layers.json --max-barrier 0.02 -o merged.safetensors",
    "average the layers whose barrier isthmus layers found to be low",
  ],
  [
    "isthmus merge a.pt b.pt --graph model.onnx --data mnist:test --require-barrier 0.05 -o merged.safetensors",
    "merge only if the loss between them rises by 0.05 at most",
  ],
  [
    "isthmus merge 'runs/*.safetensors' --align --graph model.onnx --data mnist:train@5000 -o merged.safetensors",
    "any number, aligned to each other through one universe",
  ],
  ["isthmus merge base+lora -o merged", "an adapter into its model, which may be quantised to 4 bits"],
  [
    "isthmus merge a.pt b.pt c.pt --weights .5,.3,.2 --dtype bf16 --max-shard-size 5GB -o merged/",
    "three checkpoints, unequally, in shards",
  ],
);
