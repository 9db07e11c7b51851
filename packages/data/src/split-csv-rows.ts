import { type ByteSource, FormatError } from "@isthmus/core";

/** A row of a CSV file. */
export interface CsvRow {
  /** Texts of the fields, without the quotes around them. */
  readonly fields: readonly string[];
  /** Number of the line in which the row begins, from 1. */
  readonly line: number;
}

/** Number of bytes that are read at once. */
const CHUNK = 2 ** 18;
/** Maximum number of characters of a row: an image of 1,024 x 1,024 as text has fewer. */
const MOST_CHARACTERS = 2 ** 23;

/**
 * Splits a CSV file into rows as RFC 4180 describes them, one at a time: fields in quotes may hold commas,
 * line ends and doubled quotes. Empty lines are left out.
 * @throws FormatError if the file is not UTF-8, a quote is not closed or is in the middle of a field, or a
 *   row is longer than any real one
 */
export async function* splitRows(source: ByteSource): AsyncGenerator<CsvRow> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const splitter = new RowSplitter(source.name);
  for (let begin = 0; begin < source.size; begin += CHUNK) {
    const end = Math.min(source.size, begin + CHUNK);
    const text = decode(decoder, await source.read(begin, end), {
      name: source.name,
      isLast: end === source.size,
    });
    yield* splitter.split(text);
  }
  yield* splitter.end();
}

function decode(
  decoder: InstanceType<typeof TextDecoder>,
  bytes: Uint8Array,
  { name, isLast }: { readonly name: string; readonly isLast: boolean },
): string {
  try {
    return decoder.decode(bytes, { stream: !isLast });
  } catch (cause) {
    throw new FormatError(
      `Cannot read "${name}" as a table must be UTF-8: it is not; convert it first (iconv)`,
      {
        format: "csv",
        cause,
      },
    );
  }
}

/**
 * State before a character: at the beginning of a field, in a plain one, in a quoted one, or after the
 * closing quote.
 */
type Place = "begin" | "plain" | "quoted" | "closed";

class RowSplitter {
  readonly #name: string;
  #place: Place = "begin";
  #fields: string[] = [];
  /** Field so far, from earlier text. */
  #field = "";
  #line = 1;
  #firstLine = 1;
  #characters = 0;

  constructor(name: string) {
    this.#name = name;
  }

  *split(text: string): Generator<CsvRow> {
    let begin = 0;
    for (let i = 0; i < text.length; i++) {
      const character = text[i] as string;
      if (character === "\n") this.#line++;
      this.#count();
      const isEnd = this.#place !== "quoted" && (character === "," || character === "\n");
      if (!isEnd && character !== '"') {
        this.#pass(character);
        continue;
      }
      this.#field += text.slice(begin, i);
      begin = i + 1;
      if (!isEnd) this.#quote();
      else this.#endField();
      if (isEnd && character === "\n") yield* this.#endRow();
    }
    this.#field += text.slice(begin);
  }

  #count(): void {
    if (++this.#characters <= MOST_CHARACTERS) return;
    throw this.#error(
      `a row may have ${MOST_CHARACTERS} characters: the one from line ${this.#firstLine} on has more`,
    );
  }

  #pass(character: string): void {
    if (this.#place === "begin") this.#place = "plain";
    if (this.#place !== "closed" || character === "\r") return;
    throw this.#error(`a comma must follow a closing quote: in line ${this.#line} it does not`);
  }

  *end(): Generator<CsvRow> {
    if (this.#place === "quoted")
      throw this.#error(`quotes must be closed: one from line ${this.#firstLine} on is not`);
    this.#endField();
    yield* this.#endRow();
  }

  #quote(): void {
    if (this.#place === "begin") this.#place = "quoted";
    else if (this.#place === "quoted") this.#place = "closed";
    else if (this.#place === "closed") {
      // A doubled quote stands for one quote of the field.
      this.#field += '"';
      this.#place = "quoted";
    } else throw this.#error(`a field with quotes must begin with one: in line ${this.#line} one does not`);
  }

  #endField(): void {
    this.#fields.push(this.#field.endsWith("\r") ? this.#field.slice(0, -1) : this.#field);
    this.#field = "";
    this.#place = "begin";
  }

  *#endRow(): Generator<CsvRow> {
    const fields = this.#fields;
    if (fields.length > 1 || fields[0]?.trim() !== "") yield { fields, line: this.#firstLine };
    this.#fields = [];
    this.#characters = 0;
    this.#firstLine = this.#line;
  }

  #error(reason: string): FormatError {
    return new FormatError(`Cannot read "${this.#name}" as ${reason}`, { format: "csv" });
  }
}
