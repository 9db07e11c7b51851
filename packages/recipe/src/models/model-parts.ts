/** Keys under which models of several modules keep the config of their language model. */
export const TEXT_PARTS: readonly string[] = ["text_config", "llm_config", "language_config"];

/** Checks whether a value of JSON is an object with keys. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
