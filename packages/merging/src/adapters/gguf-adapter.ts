import {
  at,
  type Checkpoint,
  defineCheckpoint,
  entry,
  FormatError,
  MismatchError,
  type TensorData,
  type TensorInfo,
  UnsupportedError,
} from "@isthmus/core";
import { type Adapter, createAdapter } from "./adapter.ts";
import { parseAdapterConfig } from "./adapter-config.ts";

/** Ends of the names of the two factors of a change in a GGUF file. */
const FACTOR = /^(.+)\.weight\.lora_([ab])$/;

/** Name of the embedding, whose factors llama.cpp stores the other way round. */
const EMBEDDING = "token_embd";

/** Checks whether a checkpoint is an adapter in a GGUF file, by its metadata. */
export function isGgufAdapter({ metadata }: Pick<Checkpoint, "metadata">): boolean {
  return metadata["general.type"] === "adapter";
}

/** A tensor of a file under the name that PEFT would give it. */
interface Renamed {
  readonly name: string;
  readonly isTransposed: boolean;
  readonly info: TensorInfo;
}

/**
 * Opens an adapter of llama.cpp, as its `convert_lora_to_gguf.py` writes it: factors `NAME.weight.lora_a` and
 * `NAME.weight.lora_b`, with the scale `adapter.lora.alpha / rank`, or 1 if it is 0. Its tensors are seen
 * under names of PEFT. Whole tensors of norms replace the norms of the network; llama.cpp leaves them out.
 * @throws FormatError if the numerator of the scale is not a finite number
 * @throws MismatchError if a factor is missing, or has not two axes
 * @throws UnsupportedError if the adapter is not LoRA, or becomes active only after some tokens
 */
export function openGgufAdapter(checkpoint: Checkpoint): Adapter {
  const { source, metadata, tensors } = checkpoint;
  const type = metadata["adapter.type"];
  if (type !== "lora")
    throw new UnsupportedError(
      `Cannot use adapter "${source}" as only LoRA adapters are handled: its "adapter.type" is ${type}`,
      { feature: type ?? "adapter.type" },
    );
  if (metadata["adapter.alora.invocation_tokens"] !== undefined)
    throw new UnsupportedError(
      `Cannot use adapter "${source}" as it becomes active only after "adapter.alora.invocation_tokens", which a merged model cannot do: load it beside its model in llama.cpp`,
      { feature: "adapter.alora.invocation_tokens" },
    );
  const { "adapter.lora.alpha": stated = "0" } = metadata;
  const alpha = Number(stated);
  if (!Number.isFinite(alpha))
    throw new FormatError(
      `Cannot use adapter "${source}" as "adapter.lora.alpha" must be a finite number: it is ${stated}`,
      { format: "gguf" },
    );
  const renamed = new Map([...tensors].map(([key, info]) => [rename(source, key, info), key] as const));
  const ranks = new Map<string, number>();
  for (const { name, info } of renamed.keys()) {
    const [, module] = /^(.+)\.lora_A\.weight$/.exec(name) ?? [];
    if (module !== undefined) ranks.set(module, at(info.shape, 0, "extent"));
  }
  const [rank = 1] = ranks.values();
  const pattern = Object.fromEntries(
    [...ranks].map(([module, own]) => [`^${module.replaceAll(".", "\\.")}$`, own]),
  );
  // A numerator of 0 stands for a scale of 1.
  const config = parseAdapterConfig(
    {
      peft_type: "LORA",
      r: rank,
      lora_alpha: alpha === 0 ? rank : alpha,
      alpha_pattern: alpha === 0 ? pattern : {},
    },
    source,
  );
  return createAdapter(source, viewAs(checkpoint, renamed), config);
}

/** Returns the name of a tensor by PEFT, and its shape under it. */
function rename(source: string, key: string, info: TensorInfo): Renamed {
  const [, module = "", side] = FACTOR.exec(key) ?? [];
  if (side === undefined && key.endsWith("_norm.weight")) return { name: key, isTransposed: false, info };
  const [first, second, ...others] = info.shape;
  if (side === undefined || first === undefined || second === undefined || others.length > 0)
    throw new MismatchError(
      `Cannot use adapter "${source}" as its tensors must be matrices that end in ".weight.lora_a" or ".weight.lora_b", or whole norms: "${key}" is [${info.shape}]`,
      { parameters: [key] },
    );
  // The embedding is looked up by rows: the second factor of the file is the first of the product.
  if (module !== EMBEDDING) {
    return { name: `${module}.lora_${side.toUpperCase()}.weight`, isTransposed: false, info };
  }
  if (side === "a") return { name: `${module}.lora_B.weight`, isTransposed: false, info };
  const transposed = { dtype: info.dtype, shape: [second, first] };
  return { name: `${module}.lora_A.weight`, isTransposed: true, info: transposed };
}

/** Returns a checkpoint that shows the tensors of another under other names, some transposed. */
function viewAs(checkpoint: Checkpoint, renamed: ReadonlyMap<Renamed, string>): Checkpoint {
  const places = new Map([...renamed].map(([tensor, key]) => [tensor.name, { ...tensor, key }]));
  return defineCheckpoint({
    source: checkpoint.source,
    tensors: new Map([...places].map(([name, { info }]) => [name, { dtype: info.dtype, shape: info.shape }])),
    metadata: {},
    inputs: [checkpoint],
    async readInto(name, begin, out) {
      const { key, isTransposed, info } = entry(places, name, "tensor");
      if (!isTransposed) return checkpoint.readRangeInto(key, begin, out);
      const { data } = await checkpoint.read(key);
      transposeInto(data, begin, info.shape, out);
    },
    close: () => checkpoint.close(),
  });
}

/**
 * Writes elements of a transposed matrix.
 * @param begin - first element of the result to write
 * @param shape - shape of the result
 */
function transposeInto(
  data: TensorData,
  begin: number,
  [rows = 1, columns = 1]: readonly number[],
  out: TensorData,
): void {
  for (let i = 0; i < out.length; i++) {
    const row = Math.floor((begin + i) / columns);
    const column = (begin + i) % columns;
    out[i] = data[column * rows + row] as (typeof out)[number];
  }
}
