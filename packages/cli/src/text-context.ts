import type { Graph } from "@isthmus/graph";

/** How data sets of text are cut. */
export interface TextContext {
  /** Tokens of an example; as usual if missing. */
  readonly context?: number;
}

/** The length of the token ids i64 `[N, length]` that a graph reads; nothing if it reads others, or texts of any length. */
export function textContext({ inputs: [input] }: Graph): TextContext {
  const context = input?.shape?.[1];
  const isText = input?.dtype === "i64" && input.shape?.length === 2 && typeof context === "number";
  return isText ? { context } : {};
}
