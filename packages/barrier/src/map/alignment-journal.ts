import type { Journal } from "@isthmus/tasks";
import type { ManyJournal } from "@isthmus/weight-matching";

/**
 * Returns a journal of alignments that stores them in a journal shared with other results.
 *
 * @param name - name of the alignment, as the journal may hold several alignments
 */
export function alignmentJournal(journal: Journal, name: string): ManyJournal {
  return { get: (key, compute) => journal.get(`alignment ${name} ${key}`, compute) };
}
