import { InputError } from "@isthmus/core";

/**
 * Most networks and tasks of one study. To plan so many takes some ten seconds; at a second each they run for
 * half a day.
 */
const MAX_TASKS = 50_000;

/**
 * Counts the networks and tasks of a study while it is planned, before there are too many: a typing error can
 * ask for millions of pairs. Tasks that several measurements share count for each.
 */
export class StudyBudget {
  readonly #counts = new Map<string, number>();
  #sum = 0;

  /**
   * Takes networks or tasks of an entry.
   * @param name - keys that lead to the entry, such as `networks.mlps`
   * @throws InputError if there are more than a study may have; it names the entry that has the most
   */
  take(name: string, count: number): void {
    this.#sum += count;
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + count);
    if (this.#sum <= MAX_TASKS) return;
    const [largest, most] = [...this.#counts].reduce((one, other) => (other[1] > one[1] ? other : one));
    throw new InputError(
      `Cannot plan the study as it may have at most ${MAX_TASKS} networks and tasks: it would have ${this.#sum}, ${most} of them of "${largest}"; ` +
        "give its variables fewer values, or measure fewer pairs (choose: consecutive)",
      { input: largest },
    );
  }
}
