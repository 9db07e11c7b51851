import {
  type AdaptedName,
  type Checkpoint,
  InputError,
  openCheckpoint,
  resolveWholeName,
  splitAdaptedName,
  splitAdapters,
} from "@isthmus/core";
import type { Adapter } from "./adapter.ts";
import { selectAdapterPart, splitAdapterPart } from "./adapter-part.ts";
import { applyAdapter } from "./apply-adapter.ts";
import { openAdapter } from "./open-adapter.ts";
import { findTiedHead } from "./tied-head.ts";

/** Options of {@link openAdapted}. */
export interface OpenAdaptedOptions {
  /** Called with a text if a part of the adapter is left out because the name asks for another one. */
  readonly onNote?: ((text: string) => void) | undefined;
}

/**
 * Opens a model with an adapter, which is applied whenever a tensor is read, as {@link applyAdapter} does.
 * Both may be files, folders or names of the Hugging Face hub; closing the checkpoint closes both. The model
 * may itself be `model+adapter`: that adapter is applied first. If config.json ties a head to the embedding
 * though the file holds both, a low-rank change or trained rows of one change both, as in PEFT.
 * `unet:adapter` is the part of an adapter that changes the U-Net of a pipeline; `transformer:`, `prior:`,
 * `text_encoder:`, `text_encoder_2:` and `text_encoder_3:` name the parts of other networks.
 * @throws InputError if the model or the adapter cannot be opened
 * @throws MismatchError if the adapter does not fit the model, or has no such part
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createCheckpoint, createTensor, saveCheckpoint } from "@isthmus/core";
 * import { extractAdapter, openAdapted, saveAdapter } from "@isthmus/merging";
 *
 * const network = (...w: number[]) =>
 *   createCheckpoint({ "q.weight": createTensor("f32", [2, 2], Float32Array.from(w)) });
 * const base = network(1, 0, 0, 1);
 * await saveCheckpoint(base, "base.safetensors");
 * await saveAdapter(extractAdapter(network(1, 2, 0, 1), base, { rank: 1 }).adapter, "lora");
 * const tuned = await openAdapted({ model: "base.safetensors", adapter: "lora" });
 * const { data } = await tuned.read("q.weight");
 * assert.deepEqual([...data].map((x) => Math.round(Number(x) * 1e5) / 1e5), [1, 2, 0, 1]);
 * await tuned.close();
 * ```
 */
export async function openAdapted(
  name: AdaptedName,
  { onNote }: OpenAdaptedOptions = {},
): Promise<Checkpoint> {
  const { part, path } = splitAdapterPart(name.adapter);
  const before = await splitAdaptedName(name.model);
  const network = await (before === undefined
    ? openPart(name, () => openCheckpoint(name.model))
    : openAdapted(before, { onNote }));
  let adapter: Adapter | undefined;
  try {
    const opened = await openPart(name, async () => openAdapter(await resolveWholeName(path)));
    adapter = opened;
    const close = async () => {
      await opened.close();
      await network.close();
    };
    const selected = part === undefined ? undefined : selectAdapterPart(opened, part);
    const left = [...(selected?.left ?? [])].map(([of, count]) => `${count} of ${of}`);
    if (left.length > 0)
      onNote?.(`Of adapter "${path}" the modules of ${part} are applied, and left are ${left.join(", ")}.`);
    const { model } = await splitAdapters(name.model);
    const tiedHead = await findTiedHead(network, await resolveWholeName(model));
    const adapted = applyAdapter(network, selected?.adapter ?? opened, { tiedHead });
    return { ...adapted, close, [Symbol.asyncDispose]: close };
  } catch (error) {
    await adapter?.close();
    await network.close();
    throw error;
  }
}

/** Opens the model or the adapter; if that fails, the message names both. */
async function openPart<T>({ model, adapter }: AdaptedName, open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (cause) {
    if (!(cause instanceof InputError)) throw cause;
    throw new InputError(
      `Cannot open "${model}+${adapter}" as there must be a file or folder of that name, or a model "${model}" that an adapter "${adapter}" changes: ${cause.message}`,
      { input: cause.input, cause },
    );
  }
}
