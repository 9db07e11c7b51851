import type { Journal } from "@isthmus/tasks";
import type { ManyJournal } from "@isthmus/weight-matching";

/**
 * Keeps alignments in a journal that other things are kept in, too.
 *
 * @param name - says which alignment it is of, as the journal may hold several
 */
export function alignmentJournal(journal: Journal, name: string): ManyJournal {
  return { get: (key, compute) => journal.get(`alignment ${name} ${key}`, compute) };
}
