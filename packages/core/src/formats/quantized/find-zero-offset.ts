import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { toFloat32 } from "../../tensor/convert.ts";
import { sizeOf } from "../../tensor/shape.ts";
import { damaged, type PackedWeight } from "./packed-weight.ts";
import { unpackColumns } from "./scaled-integers.ts";

/** Zeros and scales of a weight of GPTQ. */
interface ZeroParts {
  /** Name of the tensor of zeros. */
  readonly qzeros: string;
  /** Name of the tensor of scales. */
  readonly scales: string;
  readonly groupCount: number;
  readonly outputs: number;
  /** Number of bits of each integer. */
  readonly bits: number;
}

/** Number of elements of the weight whose mean is computed. */
const SAMPLE = 2 ** 16;

/** Distance of a mean from the expected one, in scales, up to which it tells. */
const NEAR = 0.3;

/**
 * Finds what is to be added to the zeros in a file of GPTQ that has no settings beside it: 1 for the first
 * form, 0 for the second, `gptq_v2`.
 *
 * Symmetric weights have the middle of the integers for zero, which is stored whole or less 1. The mean of
 * other weights is near 0: with an offset that is 1 too large, all numbers are one scale too small.
 * @param weight - the weight, read with an offset of 1
 * @throws FormatError if neither tells, as of 8 bits, whose scales are small beside the weights
 */
export async function findZeroOffset(
  checkpoint: Checkpoint,
  weight: PackedWeight,
  { qzeros, scales, groupCount, outputs, bits }: ZeroParts,
): Promise<0 | 1> {
  const middle = 2 ** (bits - 1);
  const { data: words } = await checkpoint.read(qzeros);
  const zeros = unpackColumns(words as Int32Array, { rows: groupCount, columns: outputs, bits, offset: 0 });
  if (zeros.every((zero) => zero === middle - 1)) return 1;
  if (zeros.every((zero) => zero === middle)) return 0;
  const numbers = new Float32Array(Math.min(SAMPLE, sizeOf(weight.info.shape)));
  await weight.fill(0, numbers);
  const steps = await checkpoint.read(scales);
  const step = meanOf(toFloat32(steps.data, steps.dtype).map(Math.abs));
  const mean = meanOf(numbers) / step;
  if (bits <= 4 && Math.abs(mean) < NEAR) return 1;
  if (bits <= 4 && Math.abs(mean + 1) < NEAR) return 0;
  throw damaged(
    checkpoint.source,
    `a file of GPTQ must have its settings beside it if its numbers do not tell whether zeros are stored less 1: put config.json of the model there, with its quantization_config, or quantize_config.json`,
  );
}

function meanOf(numbers: Float32Array): number {
  return numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
}
