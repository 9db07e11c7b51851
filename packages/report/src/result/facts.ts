import { formatCounted } from "../format-value.ts";
import type { PageFact } from "./report.ts";

/** What results know of how they were made; each has some of it. */
interface Origin {
  readonly a?: string;
  readonly b?: string;
  readonly data?: string;
  readonly examples?: number;
  readonly statistics?: string;
  readonly seed?: number;
  readonly engine?: string;
}

/** Facts of a result in the order pages tell them, with others between the data and the seed. */
export function factsOf(result: Origin, others: readonly PageFact[] = []): PageFact[] {
  const { a, b, data, examples, statistics, seed, engine } = result;
  const known: readonly (readonly [name: string, value: string | undefined])[] = [
    ["Network A", a],
    ["Network B", b],
    [
      "Data",
      data === undefined || examples === undefined ? data : `${data}, ${formatCounted(examples, "example")}`,
    ],
    ...others.map(({ name, value }) => [name, value] as const),
    ["Statistics of activations", statistics],
    ["Seed", seed === undefined ? undefined : String(seed)],
    ["Engine", engine],
  ];
  return known.flatMap(([name, value]) => (value === undefined ? [] : [{ name, value }]));
}
