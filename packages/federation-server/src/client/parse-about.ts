import { InputError } from "@isthmus/core";
import { PRIVACY, type PrivacyDescription } from "@isthmus/federated";
import { tellProblem, zodOfField } from "@isthmus/forms";
import { LOSS_FIELD, type NamedLoss } from "@isthmus/graph";
import * as z from "zod";

/** Description of a federation by its server. */
export interface FederationAbout {
  /** Name of the federation. */
  readonly name: string;
  /** Name of the client that asks, by its token. */
  readonly client: string;
  /**
   * Text that distinguishes the federation from all others; `null` if the server, an older one, gives none.
   */
  readonly identity: string | null;
  /** Number of rounds, at least 1. */
  readonly rounds: number;
  /** SHA-256 of the global network, in hexadecimal. */
  readonly network: string;
  /** Largest number of bytes that an update may have. */
  readonly bytes: number;
  /** Names of tensors that clients keep to themselves. */
  readonly keep: readonly string[];
  /** Whether the server has a graph of the network, which clients need. */
  readonly graph: boolean;
  /** Whether updates are masked. */
  readonly secure: boolean;
  /** Whether the server passes on signatures of lists of survivors; false for servers of earlier versions. */
  readonly signedSurvivors: boolean;
  /** Differential privacy of the federation; `null` if it has none. */
  readonly privacy: PrivacyDescription | null;
  /**
   * The loss to minimise; `null` for the loss of the graph, or, if it has none, the loss that follows from
   * the data.
   */
  readonly loss: NamedLoss | null;
  /** Suggestions for training, which a client may replace by its own choices. */
  readonly training: {
    readonly epochs: number;
    readonly batch: number | null;
    readonly optimizer: "sgd" | "adam" | "adamw";
    readonly learningRate: number | null;
    readonly momentum: number;
    /** Weight of the proximal term that clients add to their loss; 0 for none. */
    readonly proximal: number;
  };
}

const count = z.int().min(1);

const ABOUT: z.ZodType<FederationAbout> = z.object({
  name: z.string(),
  client: z.string(),
  identity: z.string().nullable().default(null),
  rounds: count,
  network: z.string(),
  bytes: count,
  keep: z.array(z.string()),
  graph: z.boolean(),
  secure: z.boolean(),
  signedSurvivors: z.boolean().default(false),
  privacy: PRIVACY.nullable(),
  loss: zodOfField(LOSS_FIELD).nullable().default(null),
  training: z.object({
    epochs: count,
    batch: count.nullable(),
    optimizer: z.enum(["sgd", "adam", "adamw"]),
    learningRate: z.number().positive().nullable(),
    momentum: z.number().min(0).lt(1),
    proximal: z.number().min(0).default(0),
  }),
});

/**
 * Checks the description of a federation by its server.
 * @throws InputError that names the key if something is missing, or of another form
 */
export function parseAbout(answer: unknown): FederationAbout {
  const parsed = ABOUT.safeParse(answer);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => tellProblem(issue.path, issue)).join(", ");
  throw new InputError(`Cannot join as the server must describe its federation: ${problems}`, {
    input: "about",
  });
}
