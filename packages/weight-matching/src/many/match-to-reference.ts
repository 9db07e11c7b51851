import { at } from "@isthmus/core";
import { type Alignment, identityAlignment } from "@isthmus/symmetry";
import { journaled, type ManyMatching, matchTwo } from "./many-matching.ts";

/** Matches every network to one of them, the reference, pair by pair. */
export async function matchToReference(matching: ManyMatching, reference: number): Promise<Alignment[]> {
  const { networks, spec, onProgress } = matching;
  const first = at(networks, reference, "reference");
  const universe: Alignment[] = [];
  for (const [i, network] of networks.entries()) {
    const report = (done: number) => onProgress((i + done) / networks.length);
    report(0);
    const [alignment] = await journaled(matching, `reference ${reference} ${i}`, async () =>
      i === reference
        ? [identityAlignment(spec)]
        : [await matchTwo(matching, [first, network], { onProgress: ({ done }) => report(done) })],
    );
    universe.push(alignment as Alignment);
  }
  return universe;
}
