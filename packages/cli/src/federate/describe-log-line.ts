import { parseJson } from "@isthmus/core";

/** Messages of a secure sum by the stages whose names say less. */
const STAGES: Readonly<Record<string, string>> = {
  confirm: "signatures of the list of survivors",
  reveal: "what unmasks the sum",
};

/** Largest number of characters of a line. */
const MOST = 300;

/**
 * Describes a line of a server's log for people; undefined if people need not see it.
 * @param line - JSON as pino writes it
 */
export function describeLogLine(line: string): string | undefined {
  const {
    level,
    msg,
    event = {},
    err,
    ...rest
  } = parseJson(line, { attempt: "read a line of the log" }) as {
    readonly level: number;
    readonly msg: string;
    readonly event?: Readonly<Record<string, unknown>>;
    readonly err?: { readonly message: string };
    readonly [field: string]: unknown;
  };
  const time = new Date(Number(rest["time"])).toTimeString().slice(0, 8);
  const text = err === undefined ? (describeEvent(msg, event) ?? msg) : `${msg}: ${err.message}`;
  const warning = level >= 40 ? "warning: " : "";
  return `${time} ${warning}${text}`.slice(0, MOST);
}

function describeEvent(kind: string, event: Readonly<Record<string, unknown>>): string | undefined {
  const { client, round, reason, clients, examples } = event;
  switch (kind) {
    case "client-joined":
      return `${client} joined`;
    case "client-left":
      return event["silentSeconds"] === undefined
        ? `${client} left`
        : `${client} has said nothing for ${event["silentSeconds"]} s: if it is training, its update counts until the deadline`;
    case "round-started":
      return `round ${round} started: asked ${(clients as readonly string[]).join(", ")}`;
    case "clients-asked":
      return `round ${round}: asked ${(clients as readonly string[]).join(", ")} too, as too few are left for the quorum`;
    case "secure-opened":
      return `round ${round}: the secure sum waits for keys`;
    case "secure-received":
      return `round ${round}: ${event["message"]} of ${client}`;
    case "secure-closed":
      return `round ${round}: ${STAGES[String(event["stage"])] ?? `the ${event["stage"]}`} came from enough clients`;
    case "round-closed":
      return `round ${round} has its updates: aggregating`;
    case "update-received":
      return `round ${round}: update of ${client}${describeExamples(examples)}`;
    case "update-refused":
      return `round ${round}: refused the update of ${client}: ${reason}`;
    case "round-aborted":
      return `round ${round} is begun again: ${reason}`;
    case "round-aggregated":
      return describeAggregated(event);
    case "round-failed":
      return `round ${round} failed, and the network stays: ${reason}`;
    case "stopped":
      return `the federation ends: ${reason}`;
    case "failed":
      return `the federation failed: ${reason}`;
    default:
      return undefined;
  }
}

/**
 * Formats the number of examples of an update; empty if the server does not know it, as the update is masked,
 * or its client added noise.
 */
function describeExamples(examples: unknown): string {
  if (examples === undefined) return "";
  return examples === 1 ? ", 1 example" : `, ${examples} examples`;
}

function describeAggregated({
  round,
  metrics = {},
  privacy,
  warning,
}: Readonly<Record<string, unknown>>): string {
  const numbers = metrics as Readonly<Record<string, unknown>>;
  const told = ["loss", "accuracy"].flatMap((name) => {
    const value = numbers[name];
    return typeof value === "number" ? [`${name} ${value.toPrecision(4)}`] : [];
  });
  if (privacy !== undefined) {
    const { epsilon } = privacy as { readonly epsilon: number | null };
    told.push(`epsilon ${epsilon?.toPrecision(4) ?? "infinite"}`);
  }
  const text = `round ${round} aggregated ${told.join(", ")}`.trimEnd();
  return warning === undefined ? text : `${text}: ${warning}`;
}
