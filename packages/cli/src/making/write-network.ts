import { rm } from "node:fs/promises";
import { type Checkpoint, withCheckpoints } from "@isthmus/core";
import type { MadeFacts, Report } from "@isthmus/findings";
import type { DrawableResult } from "@isthmus/report";
import { formatOutputs } from "../format/format-outputs.ts";
import { assertNetworkOutput, assertOutput, assertPageName } from "../output/assert-output.ts";
import { savePage, saveResult } from "../result/save-result.ts";
import type { Context, Outcome } from "../verb.ts";
import type { OpenedStart, StartOpening } from "./open-start.ts";
import { saveMade } from "./save-made.ts";

/** A network that a command writes: the checkpoints that it is made from, and the files of all outputs. */
export interface WritingRequest<A> {
  /** Name of the command, which is written into the metadata. */
  readonly verb: string;
  /** Checkpoints that it is made from. */
  readonly paths: readonly string[];
  /** Function that opens the architecture and examples, with the files that it reads. */
  readonly opening: StartOpening<A>;
  /** Path of the network: a file ending in `.safetensors`, or a folder. */
  readonly output: string;
  /** File for the JSON of the result of making the network. */
  readonly saveResult?: string | undefined;
  /** File for its page. */
  readonly report?: string | undefined;
  /** States beside the output, which are removed once it is written. @defaultValue none */
  readonly states?: readonly string[];
}

/** A network that was made. */
export interface Written {
  /** Network to write, under the graph's names if there is a graph. */
  readonly weights: Checkpoint;
  /** The result of making the network, which `--json` prints. */
  readonly result: object;
  /** Origin of the network for its metadata, beside the command and the networks. */
  readonly making: Readonly<Record<string, unknown>>;
  /** Text about the network for the terminal. */
  readonly text: string;
  /**
   * Contents of its page. @defaultValue the page of results of its kind, which must be a kind that can be
   * drawn
   */
  readonly page?: MadeFacts & { readonly report: Report };
}

/**
 * Makes a network from others and writes it: opens the networks, writes its origin into its metadata, and its
 * result and page into the files that options name.
 * @param make - makes the network
 */
export async function writeNetwork<A>(
  { verb, paths, opening, output, saveResult: saved, report, states = [] }: WritingRequest<A>,
  context: Context,
  make: (start: OpenedStart<A>) => Promise<Written>,
): Promise<Outcome> {
  if (report !== undefined) assertPageName(report);
  return withCheckpoints(paths, async (checkpoints) => {
    const inputs = [...checkpoints.flatMap(({ files }) => files), ...opening.files];
    const results = [saved, report].filter((file) => file !== undefined);
    await assertNetworkOutput(output, { inputs, models: paths });
    for (const file of results) await assertOutput(file, inputs);
    const { binding, restore, ...start } = await opening.open(checkpoints, context);
    const { weights, result, making, text, page } = await make(start);
    const made = { verb, from: checkpoints, options: making };
    const { files } = await saveMade(restore(weights), output, made, context);
    for (const left of states) await rm(left, { force: true, recursive: true });
    if (page !== undefined && report !== undefined)
      await savePage(report, page, { inputs, facts: page.facts, context });
    // Only commands whose results can be drawn have options for other files of results.
    const drawn = { output: saved, report: page === undefined ? report : undefined };
    await saveResult(result as DrawableResult, drawn, { inputs, context });
    const outputs = [...files, ...results];
    return {
      result: { ...result, ...(binding && { binding }), outputs },
      text: text + formatOutputs(outputs),
    };
  });
}
