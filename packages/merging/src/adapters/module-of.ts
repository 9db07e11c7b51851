/** Returns the name of the module of a tensor: its name without the last part; empty without a dot. */
export function moduleOf(tensor: string): string {
  return tensor.slice(0, Math.max(0, tensor.lastIndexOf(".")));
}
