import { FormatError, InputError, readFileBytes, UsageError } from "@isthmus/core";
import { createTokenDataSet } from "@isthmus/data";
import { createEvaluator, type Engine } from "@isthmus/graph";
import { openModel, openTokenizer } from "@isthmus/zoo";

/** A text on which models with different tokenizers are measured. */
export interface MeasuredText {
  /** Name of the text, as the option gives it. */
  readonly name: string;
  /** The text, or its beginning. */
  readonly text: string;
  /** Number of bytes of it in UTF-8. */
  readonly bytes: number;
}

/** Score of a model on a text. */
export interface TextScore {
  /** Number of tokens into which the model's tokenizer splits the text. */
  readonly tokens: number;
  /** Mean loss of a token, in nats; losses of different tokenizers do not compare. */
  readonly natsPerToken: number;
  /** Loss of the text divided by its bytes, in nats, which compares between tokenizers. */
  readonly natsPerByte: number;
  /** Exponential of the loss for each byte. */
  readonly perplexityPerByte: number;
}

/** Most characters of a text that are measured. */
const MOST_CHARACTERS = 100_000;

/** Largest file of a text, in bytes. */
const MOST_BYTES = 2 ** 30;

/** Most tokens that a model sees at once. */
const MOST_CONTEXT = 128;

/**
 * Reads the text of `--data text:FILE`, of a long text its first 100,000 characters.
 * @throws UsageError if the option does not name a text
 * @throws FormatError if the file is not UTF-8
 * @throws InputError if the file cannot be read, or is empty
 */
export async function readMeasuredText(name: string): Promise<MeasuredText> {
  const path = /^text:(.+)$/s.exec(name)?.[1];
  if (path === undefined) {
    throw new UsageError(
      `Cannot measure models with different tokenizers on "${name}" as --data must be text:FILE: token ids and other examples fit one tokenizer only`,
    );
  }
  const characters = [...(await readText(path)).slice(0, 2 * MOST_CHARACTERS)];
  const text = characters.slice(0, MOST_CHARACTERS).join("");
  if (text === "") {
    throw new InputError(`Cannot measure models on "${path}" as it must be a text: it is empty`, {
      input: path,
    });
  }
  return { name, text, bytes: Buffer.byteLength(text) };
}

async function readText(path: string): Promise<string> {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(await readFileBytes(path, MOST_BYTES));
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw new FormatError(`Cannot measure models on "${path}" as it must be a text in UTF-8: it is not`, {
      format: "text",
      cause,
    });
  }
}

/**
 * Measures the loss of a model on a text for each byte. Each token but the first is predicted once, from the
 * tokens of its window of at most 128.
 * @throws UnsupportedError if the model's type has no graph
 */
export async function measureText(
  folder: string,
  { name, text, bytes }: MeasuredText,
  { engine, signal }: { readonly engine: Engine; readonly signal: AbortSignal },
): Promise<TextScore> {
  const encode = await openTokenizer(folder);
  const { network, checkpoint } = await openModel(folder);
  try {
    const { maxLength = MOST_CONTEXT, vocabularySize } = network;
    const context = Math.min(maxLength, MOST_CONTEXT);
    const ids = encode(text);
    const data = createTokenDataSet(ids, {
      name,
      context,
      ...(vocabularySize === undefined ? {} : { vocabularySize }),
    });
    const evaluator = await createEvaluator({ graph: network.ofLength(context).graph, engine }, data);
    const { loss } = await evaluator.evaluate(checkpoint, signal);
    await evaluator.release();
    const natsPerByte = (loss * (ids.length - 1)) / bytes;
    return {
      tokens: ids.length,
      natsPerToken: loss,
      natsPerByte,
      perplexityPerByte: Math.exp(natsPerByte),
    };
  } finally {
    await checkpoint.close();
  }
}
