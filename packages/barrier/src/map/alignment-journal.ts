import { at, InvariantError } from "@isthmus/core";
import type { Alignment } from "@isthmus/symmetry";
import type { Journal } from "@isthmus/tasks";
import type { ManyJournal } from "@isthmus/weight-matching";

/**
 * Keeps alignments in a journal of numbers: how many there are, then the permutations one after another.
 *
 * @param name - says which alignment it is of, as the journal may hold several
 */
export function alignmentJournal(journal: Journal, name: string): ManyJournal {
  const keyOf = (key: string) => `alignment ${name} ${key}`;
  return {
    async read(key) {
      if (!journal.has(keyOf(key))) return undefined;
      const numbers = await journal.get(keyOf(key), () => {
        throw new InvariantError("what a journal has is not computed again");
      });
      return decode(numbers);
    },
    async write(key, alignments) {
      const permutations = alignments.flatMap(({ source }) => [...source]);
      await journal.get(keyOf(key), async () => [alignments.length, ...permutations]);
    },
  };
}

function decode(numbers: readonly number[]): Alignment[] {
  const count = at(numbers, 0, "count");
  const units = count === 0 ? 0 : (numbers.length - 1) / count;
  return Array.from({ length: count }, (_, i) => ({
    source: Int32Array.from(numbers.slice(1 + i * units, 1 + (i + 1) * units)),
  }));
}
