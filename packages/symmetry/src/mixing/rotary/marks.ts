/**
 * Numbering of the factors and moves that lie between weights and places: two places with one mark hold parts
 * of the same complex number.
 *
 * A mark has a multiplier, the constants that vary from token to token, such as cosines of angles, and a
 * history: all other factors and moves. Sums of places with different multipliers are turns, as rotary
 * embeddings make them; with equal multipliers the summands, such as products and their biases, have to be
 * turned alike.
 */
export class Marks {
  readonly #numbers = new Map<string, number>();
  readonly #multipliers: number[] = [];
  readonly #histories: number[] = [];
  readonly #marks = new Map<string, number>();

  /** Numbers a fact. */
  numberOf(text: string): number {
    const number = this.#numbers.get(text) ?? this.#numbers.size + 1;
    this.#numbers.set(text, number);
    return number;
  }

  multiplierOf(mark: number): number {
    return this.#multipliers[mark] as number;
  }

  #markOf(multiplier: number, history: number): number {
    const key = `${multiplier} ${history}`;
    const earlier = this.#marks.get(key);
    if (earlier !== undefined) return earlier;
    const mark = this.#multipliers.length;
    this.#marks.set(key, mark);
    this.#multipliers.push(multiplier);
    this.#histories.push(history);
    return mark;
  }

  /** Returns the mark of an unmoved tensor, such as a weight. */
  of(origin: string): number {
    return this.#markOf(0, this.numberOf(origin));
  }

  /** Adds an event, such as a move, to the history of a mark. */
  after(mark: number, event: number): number {
    const history = this.numberOf(`${this.#histories[mark]} then ${event}`);
    return this.#markOf(this.multiplierOf(mark), history);
  }

  /** Multiplies by numbers that vary. */
  times(mark: number, factor: number): number {
    const multiplier = this.numberOf(`${this.multiplierOf(mark)} times ${factor}`);
    return this.#markOf(multiplier, this.#histories[mark] as number);
  }

  /** Creates the mark of a sum, of which the second part is turned by a number of quarters. */
  sum(one: number, two: number, turns: number): number {
    const number = this.numberOf(`${one} plus ${two} turned ${turns}`);
    const multiplier = this.multiplierOf(one);
    return multiplier === this.multiplierOf(two) ? this.#markOf(multiplier, number) : this.#markOf(number, 0);
  }
}
