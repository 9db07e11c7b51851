/**
 * Shortens the names that exporters give to values: `/blocks/blocks.0/attn/MatMul_1_output_0` becomes
 * `blocks.0/attn/MatMul_1`. Names whose short form would not be unique are not shortened.
 * @returns a label for each name, in order
 */
export function labelValues(names: readonly string[]): string[] {
  const labels = names.map(labelOf);
  const counts = new Map<string, number>();
  for (const label of labels) counts.set(label, 1 + (counts.get(label) ?? 0));
  return labels.map((label, i) => ((counts.get(label) ?? 1) > 1 ? (names[i] ?? label) : label));
}

function labelOf(name: string): string {
  const parts = name
    .replace(/^\//, "")
    .replace(/_output_0$/, "")
    .split("/");
  const shown = parts.filter((part, i) => !(parts[i + 1]?.startsWith(`${part}.`) ?? false));
  return shown.join("/") || name;
}
