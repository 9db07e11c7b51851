import type { Checkpoint } from "../../checkpoint/checkpoint.ts";

/**
 * Says which networks are read as other numbers than their files hold, a line for each: those whose weights
 * are quantised. Networks of GGUF, whose numbers become f32, are left out, as their page says it.
 * @param network - network to describe; of one that is computed, such as a base with an adapter, the
 *   networks of which it is made
 */
export function describeDequantized(network: Checkpoint): readonly string[] {
  if (network.inputs.length > 0) return network.inputs.flatMap(describeDequantized);
  const tensors = [...network.tensors.values()];
  const packed = tensors.filter(({ stored, dtype }) => stored !== undefined && !isGgufType(stored, dtype));
  const [first] = packed;
  if (first === undefined) return [];
  const types = [...new Set(packed.map(({ dtype }) => dtype))].join(" and ");
  const forms = [...new Set(packed.map(({ stored }) => stored))];
  const form = forms.length > 1 ? `${first.stored} and ${forms.length - 1} other forms` : first.stored;
  return [
    `"${network.source}" is dequantised: ${packed.length} of ${tensors.length} tensors (${form}) are read as ${types}, and the result is not quantised.`,
  ];
}

function isGgufType(stored: string, dtype: string): boolean {
  return dtype === "f32" && /^[A-Z0-9_]+$/.test(stored);
}
