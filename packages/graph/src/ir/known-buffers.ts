import { type Checkpoint, DTYPES } from "@isthmus/core";

/**
 * Pattern of names of buffers in state dicts that are not weights: frequencies and tables of rotary and
 * relative positions, which graphs compute, and masks of attention.
 */
const BUFFERS =
  /(^|\.)(inv_freq|original_inv_freq|freqs_cis|cos_cached|sin_cached|masked_bias|attn_mask|relative_coords_table|num_batches_tracked)$/;

/** Pattern of names of causal masks of GPT-2 and GPT-NeoX, which look like names of biases. */
const CAUSAL_MASK = /(^|\.)(attn|attention)\.bias$/;

/**
 * Checks whether a tensor is a buffer that a graph need not read, and that may stay unchanged if the network
 * changes.
 */
export function isKnownBuffer({ tensors }: Pick<Checkpoint, "tensors">, name: string): boolean {
  const info = tensors.get(name);
  if (info === undefined) return false;
  if (!DTYPES[info.dtype].float || BUFFERS.test(name)) return true;
  const [one, two, rows, columns] = info.shape;
  return CAUSAL_MASK.test(name) && info.shape.length === 4 && one === 1 && two === 1 && rows === columns;
}
