import { excerpt, FormatError, MismatchError, parseJson } from "@isthmus/core";
import { advance, beginFederation, type FederationEvent, type FederationState } from "@isthmus/federated";
import type { FederationConfig } from "../config/federation-config.ts";

const FORMAT = "isthmus federation";
/** Version of new journals. */
const VERSION = 2;
/** Versions of journals with which a server can continue; a journal of an older version keeps its version. */
const READABLE: readonly unknown[] = [1, VERSION];

/** A state that is restored from a journal line by line. */
export interface RestoredState {
  /** Content that the first line must have: the plan, strategy and network of the federation. */
  readonly header: object;
  /**
   * Applies the next line to the state.
   * @throws FormatError if the first line is not of the journal of a federation, or of another version
   * @throws MismatchError if the first line is of another federation, and a second line follows
   */
  readonly take: (line: unknown) => void;
  /** Whether the first line is of another federation, in which nothing has happened. */
  readonly isForeign: boolean;
  /** State after all lines so far. */
  readonly state: FederationState;
}

/**
 * Begins to restore the state of a federation.
 * @param network - hash of the network that it begins with
 */
export function beginRestoring({ plan, strategy }: FederationConfig, network: string): RestoredState {
  const header = { format: FORMAT, version: VERSION, plan, strategy, network };
  let state = beginFederation(network);
  let isFirst = true;
  let foreign: MismatchError | undefined;
  return {
    header,
    take(line) {
      if (foreign !== undefined) throw foreign;
      if (isFirst) foreign = differenceOf(line, header);
      else state = advance(plan, state, line as FederationEvent);
      isFirst = false;
    },
    get isForeign() {
      return foreign !== undefined;
    },
    get state() {
      return state;
    },
  };
}

/**
 * Compares the first line of a journal with a header; returns the error of a federation that differs, and
 * `undefined` if they describe the same one. A plan may have more rounds than the first line says.
 * @throws FormatError if the line is not of the journal of a federation, or of another version
 */
function differenceOf(first: unknown, header: object): MismatchError | undefined {
  const { format, version } = { ...(first as { format?: unknown; version?: unknown } | null) };
  if (format !== FORMAT || !READABLE.includes(version)) {
    throw new FormatError(
      `Cannot go on with the federation as its journal must be "${FORMAT}" of version ${READABLE.join(" or ")}: it is ${excerpt(format)} of version ${excerpt(version)}; use the program that began it, or name another folder`,
      { format: "journal" },
    );
  }
  const stored = flatten(first);
  const now = flatten(
    parseJson(JSON.stringify({ ...header, version }), { attempt: "describe the federation" }),
  );
  const isMore = (key: string): boolean =>
    key === "plan.rounds" && Number(now.get(key)) > Number(stored.get(key));
  const differing = [...new Set([...stored.keys(), ...now.keys()])].filter(
    (key) => stored.get(key) !== now.get(key) && !isMore(key),
  );
  if (differing.length === 0) return undefined;
  const differences = differing.map(
    (key) => `"${key}" is ${excerpt(stored.get(key))} there and ${excerpt(now.get(key))} here`,
  );
  return new MismatchError(
    `Cannot go on with the federation as it must be the one of the folder: ${differences.join(", ")}; name another folder, or the network and plan that it began with, whose "rounds" may be raised`,
    { parameters: differing },
  );
}

/** Returns the leaves of plain data by their paths. */
function flatten(value: unknown, path = ""): Map<string, unknown> {
  if (typeof value !== "object" || value === null) return new Map([[path, value]]);
  return new Map(
    Object.entries(value).flatMap(([key, item]) => [...flatten(item, path === "" ? key : `${path}.${key}`)]),
  );
}
