import { at, excerpt, InputError, OutOfRangeError, UsageError } from "@isthmus/core";
import { isRecord } from "./model-parts.ts";
import type { Vocabulary } from "./read-vocabulary.ts";
import type { RowPlace, TokenRowSource, VocabularyNetwork, VocabularyPlan } from "./vocabulary-plan.ts";

/** Source of the row of one token, from the key `tokenizer.tokens` of a recipe. */
export interface TokenRow {
  /**
   * Name of the network whose row of the token is taken, `{ kind: "zero" }`, or
   * `{ kind: "model_token", model, token }` (or `token_id`): the row of another token in a network.
   */
  readonly source?: string | Readonly<Record<string, unknown>>;
  /** Whether networks that have the token get this row as well. @defaultValue false */
  readonly force?: boolean;
}

/** Rows whose mean fills a row; empty for zeros. */
export type RowFill = readonly RowPlace[];

interface TokenRowContext {
  readonly ids: ReadonlyMap<string, number>;
  readonly networks: readonly VocabularyNetwork[];
  readonly vocabularies: readonly Vocabulary[];
}

/**
 * Finds the rows that a recipe names as sources of tokens.
 * @returns sources by the ids of the tokens
 * @throws InputError if a source names an unknown network, or a token that the network lacks
 * @throws UsageError if a source is none of the forms in {@link TokenRow}
 */
export function checkTokenRows(
  tokens: Readonly<Record<string, TokenRow>>,
  context: TokenRowContext,
): VocabularyPlan["rows"] {
  const rows = new Map<number, { source: TokenRowSource | undefined; force: boolean }>();
  for (const [token, { source, force = false }] of Object.entries(tokens)) {
    const id = context.ids.get(token);
    if (id === undefined) continue;
    rows.set(id, { source: source === undefined ? undefined : findSource(token, source, context), force });
  }
  return rows;
}

function findSource(
  token: string,
  source: NonNullable<TokenRow["source"]>,
  context: TokenRowContext,
): TokenRowSource {
  if (typeof source === "string") return findRow(token, { model: source, token }, context);
  const { kind, model, token: other, token_id: row } = source;
  if (kind === "zero") return "zero";
  const name = typeof model === "string" ? model : isRecord(model) ? model["path"] : undefined;
  const isOne = (other === undefined) !== (row === undefined);
  if (kind === "model_token" && typeof name === "string" && isOne) {
    return findRow(token, { model: name, token: other, row }, context);
  }
  throw new UsageError(
    `Cannot fill the row of ${excerpt(token)} as its source must be a network, {kind: zero} or {kind: model_token, model, token or token_id}: it is ${excerpt(source)}`,
  );
}

interface RowRequest {
  readonly model: string;
  readonly token?: unknown;
  readonly row?: unknown;
}

function findRow(token: string, request: RowRequest, { networks, vocabularies }: TokenRowContext): RowPlace {
  const network = networks.findIndex(
    ({ name, directory }) => name === request.model || directory === request.model,
  );
  const vocabulary = vocabularies[network];
  if (vocabulary === undefined) {
    const names = networks.map(({ name }) => `"${name}"`).join(", ");
    throw new InputError(
      `Cannot fill the row of ${excerpt(token)} from "${request.model}" as it must be a network of the merge: they are ${names}`,
      { input: request.model },
    );
  }
  const row = request.row ?? vocabulary.ids.get(String(request.token));
  if (typeof row === "number" && Number.isInteger(row) && row >= 0 && row < vocabulary.size) {
    return { network, row };
  }
  if (request.row !== undefined) {
    throw new OutOfRangeError(
      `Cannot fill the row of ${excerpt(token)} from "${request.model}" as its rows are 0 to ${vocabulary.size - 1}: token_id is ${excerpt(request.row)}`,
    );
  }
  throw new InputError(
    `Cannot fill the row of ${excerpt(token)} from "${request.model}" as its vocabulary must have ${excerpt(request.token)}: it has not`,
    { input: request.model },
  );
}

/**
 * Decides which rows fill the row of a token in networks that lack it: the row that the recipe names;
 * otherwise the row of the base; otherwise the mean of the rows of all networks that have the token; zeros if
 * no network has the token.
 *
 * @param present - positions of the networks that have the tensor
 * @throws InputError if the recipe names a row of a network that lacks the tensor
 */
export function fillOf(plan: VocabularyPlan, id: number, present: readonly number[]): RowFill {
  const asked = plan.rows.get(id);
  if (asked !== undefined) return askedFill(plan, id, present);
  const places = present.flatMap((network): RowPlace[] => {
    const row = at(at(plan.networks, network).rows, id);
    return row >= 0 ? [{ network, row }] : [];
  });
  const ofBase = places.find(({ network }) => network === plan.base);
  return ofBase === undefined ? places : [ofBase];
}

function askedFill(plan: VocabularyPlan, id: number, present: readonly number[]): RowFill {
  const source = plan.rows.get(id)?.source;
  const token = excerpt(plan.tokens[id]);
  if (source === "zero") return [];
  if (source === undefined) {
    throw new InputError(
      `Cannot fill the row of ${token} as a network lacks the token or force is set: give it a source, such as a network or {kind: zero}`,
      { input: String(plan.tokens[id]) },
    );
  }
  if (present.includes(source.network)) return [source];
  const { name } = at(plan.networks, source.network, "network");
  throw new InputError(
    `Cannot fill the row of ${token} from "${name}" as it must have the tensor: it has not, perhaps as its output head is tied to its embedding`,
    { input: name },
  );
}
