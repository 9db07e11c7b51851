import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { defineCheckpoint } from "../../checkpoint/define-checkpoint.ts";
import { entry } from "../../invariant.ts";
import type { ByteSource } from "../../io/byte-source.ts";
import type { TensorData } from "../../tensor/dtype.ts";
import { viewBytes } from "../../tensor/tensor.ts";
import { type GgufTensor, readGgufHeader } from "./gguf-header.ts";

/** Number of blocks that are decoded at once. */
const BLOCKS = 4096;

/**
 * Opens a GGUF file of llama.cpp. Tensors of quantised types are read as dequantised f32 numbers; extents are
 * in row-major order, the reverse of the order in the file.
 *
 * The checkpoint owns `source` and closes it; on failure the caller must close it.
 * @param files - paths to report as read
 * @throws FormatError if the file is damaged, or claims more than it has
 * @throws UnsupportedError if its version or the type of a tensor is not supported
 */
export async function openGguf(source: ByteSource, files: readonly string[] = []): Promise<Checkpoint> {
  const { tensors, metadata } = await readGgufHeader(source);
  return defineCheckpoint({
    source: source.name,
    tensors: new Map([...tensors].map(([name, { type: _type, begin: _begin, ...info }]) => [name, info])),
    metadata,
    files,
    readInto: (name, begin, out) => readElements(source, entry(tensors, name, "tensor"), begin, out),
    close: () => source.close(),
  });
}

async function readElements(
  source: ByteSource,
  { type, begin: origin }: GgufTensor,
  begin: number,
  out: TensorData,
): Promise<void> {
  const { blockElements, blockBytes, decoder } = type;
  if (decoder === undefined) return source.readInto(origin + begin * blockBytes, viewBytes(out));
  const decode = await decoder();
  const end = begin + out.length;
  const lastBlock = Math.ceil(end / blockElements);
  for (let block = Math.floor(begin / blockElements); block < lastBlock; block += BLOCKS) {
    const count = Math.min(BLOCKS, lastBlock - block);
    const first = block * blockElements;
    const numbers = new Float32Array(count * blockElements);
    decode(await source.read(origin + block * blockBytes, origin + (block + count) * blockBytes), numbers);
    const from = Math.max(begin, first);
    const to = Math.min(end, first + numbers.length);
    (out as Float32Array).set(numbers.subarray(from - first, to - first), from - begin);
  }
}
