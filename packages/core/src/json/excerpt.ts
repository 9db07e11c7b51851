/** Number of characters of a value that a message shows. */
const SHOWN = 60;

/**
 * Writes the beginning of a value as JSON, for messages about it.
 *
 * Unlike `JSON.stringify` it stops as soon as it has enough characters, even for a large or deeply nested
 * value, and can write values that JSON lacks: `undefined`, `NaN` and infinities, big integers, cyclic
 * values.
 * @param most - characters to show before "..."
 */
export function excerpt(value: unknown, most: number = SHOWN): string {
  const writer = new Writer(most + 1);
  writer.write(value);
  return cutText(writer.text, most);
}

/**
 * Returns the beginning of a text, followed by "..." if the text is longer.
 * @param most - characters to show before "..."
 */
export function cutText(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most)}...` : text;
}

class Writer {
  text = "";
  readonly #enough: number;

  constructor(enough: number) {
    this.#enough = enough;
  }

  get #isFull(): boolean {
    return this.text.length >= this.#enough;
  }

  /** Writes a value; the recursion ends, as every level of nesting adds a bracket to the text. */
  write(value: unknown): void {
    if (Array.isArray(value)) this.#writeArray(value);
    else if (typeof value === "object" && value !== null) this.#writeObject(value);
    else if (typeof value === "string") this.text += quote(value, this.#enough);
    else this.text += typeof value === "function" ? "a function" : String(value);
  }

  #writeArray(values: readonly unknown[]): void {
    this.text += "[";
    for (let i = 0; i < values.length && !this.#isFull; i++) {
      if (i > 0) this.text += ",";
      this.write(values[i]);
    }
    this.text += "]";
  }

  #writeObject(value: object): void {
    this.text += "{";
    let isFirst = true;
    for (const key in value) {
      if (this.#isFull) break;
      if (!isFirst) this.text += ",";
      isFirst = false;
      this.text += `${quote(key, this.#enough)}:`;
      this.write((value as Record<string, unknown>)[key]);
    }
    this.text += "}";
  }
}

function quote(text: string, most: number): string {
  return JSON.stringify(text.slice(0, most));
}
