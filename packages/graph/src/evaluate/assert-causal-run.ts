import { convertData, createTensor, entry, InputError, type Tensor } from "@isthmus/core";
import type { Session } from "../engine.ts";

/** A batch of texts that was run, and the means to run it again. */
export interface RunTexts {
  /** Logits, `[texts * rows, classes]`, row-major. */
  readonly logits: Float32Array;
  /** Token that each row predicts, `[texts * rows]`; a negative number for rows that predict none. */
  readonly labels: Int32Array;
  /** Number of tokens of each text. */
  readonly rows: number;
  /** Session of the graph that computed the logits, with which changed texts are run. */
  readonly session: Session;
  /** All tensors that the graph was fed, by name. */
  readonly feeds: ReadonlyMap<string, Tensor>;
  /** Name of the input that takes the tokens. */
  readonly tokens: string;
  /** Reads the logits from the results of a run. */
  readonly read: (results: ReadonlyMap<string, Tensor>) => Float32Array;
}

/**
 * Relative change of a logit, compared with the largest logit, from which it counts as a change: masked
 * attention gives a later token the weight 0 exactly, so that smaller changes are rounding errors.
 */
const CHANGE = 1e-4;

/**
 * Checks that a language model predicts each token only from earlier tokens: the last token of each text is
 * replaced by another, and no earlier logit may change.
 *
 * Networks that see the whole text, such as BERT, would see the token that they should predict, so that their
 * next-token loss is meaningless.
 * @throws InputError if a logit changes
 */
export async function assertCausalRun(
  attempt: string,
  names: { readonly graph: string; readonly data: string },
  { session, feeds, tokens, labels, rows, read, ...before }: RunTexts,
): Promise<void> {
  const former = before.logits.slice();
  const classes = former.length / labels.length;
  const { dtype, shape, data } = entry(feeds, tokens, "input");
  const ids = Int32Array.from(data as ArrayLike<number | bigint>, Number);
  const compared: { readonly begin: number; readonly end: number }[] = [];
  for (let begin = 0; begin < labels.length; begin += rows) {
    const last = labels.subarray(begin, begin + rows).findLastIndex((label) => label >= 0);
    if (last < 0 || last + 1 >= rows) continue;
    const place = begin + last + 1;
    ids[place] = ids[place] === 0 ? 1 : 0;
    compared.push({ begin: begin * classes, end: place * classes });
  }
  const changed = createTensor(dtype, shape, convertData(ids, "i32", dtype));
  const later = read(await session.run(new Map([...feeds, [tokens, changed]])));
  for (const { begin, end } of compared) {
    let [largest, change] = [0, 0];
    for (let i = begin; i < end; i++) {
      const logit = former[i] as number;
      largest = Math.max(largest, Math.abs(logit));
      change = Math.max(change, Math.abs(logit - (later[i] as number)));
    }
    if (!(change > CHANGE * largest)) continue;
    throw new InputError(
      `Cannot ${attempt} on "${names.data}" by the loss of the next token as a network must predict each token from those before it: graph "${names.graph}" sees the token that it would predict (another last token changes the logits before it), as BERT and other masked language models do; for their loss give npz:FILE with masked input_ids, and labels that are -100 at every token that is not masked`,
      { input: names.data },
    );
  }
}
