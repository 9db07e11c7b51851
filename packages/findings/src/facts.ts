import { formatCounted } from "./format-value.ts";
import type { PageFact } from "./page-fact.ts";

/** Origin of a result: the networks, data and settings that it was made from, as far as its kind has them. */
interface Origin {
  readonly a?: string | undefined;
  readonly b?: string | undefined;
  readonly data?: string | undefined;
  readonly examples?: number | undefined;
  readonly statistics?: string | undefined;
  readonly seed?: number | undefined;
  readonly engine?: string | undefined;
}

/** Lists the facts of a result in the order of pages, with others between the data and the seed. */
export function factsOf(result: Origin, others: readonly PageFact[] = []): PageFact[] {
  const { a, b, data, examples, statistics, seed, engine } = result;
  const facts: readonly (readonly [name: string, value: string | undefined])[] = [
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
  return facts.flatMap(([name, value]) => (value === undefined ? [] : [{ name, value }]));
}
