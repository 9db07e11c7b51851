import type { ValueInfo } from "./graph.ts";

/** Describes a value with its type for messages, as in `"ids" (i64 [batch, 8])`. */
export function describeValue({ name, dtype, shape }: ValueInfo): string {
  const type = [dtype, shape && `[${shape.join(", ")}]`].filter((part) => part !== undefined).join(" ");
  return type === "" ? `"${name}"` : `"${name}" (${type})`;
}
