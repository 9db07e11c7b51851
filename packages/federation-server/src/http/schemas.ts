/** Schema of a number that may be missing. */
const number = { type: "number" } as const;
const text = { type: "string" } as const;
const whole = { type: "integer", minimum: 0 } as const;

/** Schema of a SHA-256 in a path. */
export const HASH_PARAMS: object = {
  type: "object",
  properties: { hash: { type: "string", pattern: "^[0-9a-f]{64}$", description: "SHA-256, in hexadecimal" } },
  required: ["hash"],
} as const;

/** Schema of the reason why a request is refused. */
const refusal = {
  type: "object",
  properties: { error: text },
  required: ["error"],
} as const;

/** Schemas of answers to requests that are refused. */
export const REFUSED: object = { "4xx": refusal, "5xx": refusal } as const;

const training = {
  type: "object",
  description: "What the server suggests; a client may do otherwise",
  properties: {
    epochs: whole,
    batch: { type: ["integer", "null"] },
    optimizer: text,
    learningRate: { type: ["number", "null"] },
    momentum: number,
    proximal: { type: "number", description: "Weight of the proximal term of the loss, 0 for none" },
  },
} as const;

/** Schema of the description of a federation for clients. */
export const FEDERATION_ANSWER: object = {
  type: "object",
  properties: {
    name: text,
    client: { type: "string", description: "Name of the client whose token was sent" },
    status: text,
    round: whole,
    rounds: whole,
    quorum: whole,
    network: { type: "string", description: "SHA-256 of the global network" },
    bytes: { type: "integer", description: "Largest number of bytes of an update" },
    keep: { type: "array", items: text, description: "Names of tensors that clients keep to themselves" },
    identity: { type: "string", description: "Random text of this federation, for a client's own files" },
    graph: { type: "boolean", description: "Whether there is a graph at /v1/graph" },
    training,
    loss: {
      description:
        "The loss to minimise: its name, or one for each of several outputs; null for what follows from the data",
    },
    secure: {
      type: "boolean",
      description: "Whether updates are masked, by the messages of /v1/rounds/ROUND/secure",
    },
    signedSurvivors: {
      type: "boolean",
      description: "Whether clients whose keys say confirms sign the list of survivors of a secure sum",
    },
    privacy: {
      type: ["object", "null"],
      description: "How clients are hidden; at: clients asks each to clip its update and to add noise",
      additionalProperties: true,
    },
    adapters: {
      type: ["object", "null"],
      description:
        "Scale and largest rank of adapters whose factors are both sent: alpha is null if all must have the rank of the network",
      additionalProperties: true,
    },
  },
  required: [
    ...["name", "client", "status", "round", "rounds", "network", "bytes", "keep", "graph", "training"],
    ...["privacy", "secure", "signedSurvivors", "adapters"],
  ],
} as const;

/** Schema of the current task of a client. */
export const TASK_ANSWER: object = {
  type: "object",
  properties: {
    task: { type: "string", enum: ["train", "secure", "wait", "finished"] },
    round: { type: ["integer", "null"] },
    network: {
      type: ["string", "null"],
      description: "SHA-256 of the network to begin with, or of the last one",
    },
    step: {
      type: ["string", "null"],
      description: "Step of the secure sum: keys, shares, confirm or reveal",
    },
    secondsLeft: { type: ["number", "null"], description: "Time until the round closes without this client" },
    reason: { type: ["string", "null"] },
  },
  required: ["task", "round", "network", "step", "secondsLeft", "reason"],
} as const;

/** Schema of an update, whose bytes were uploaded before. */
export const UPDATE_BODY: object = {
  type: "object",
  properties: {
    hash: { type: "string", pattern: "^[0-9a-f]{64}$" },
    examples: { type: "integer", minimum: 1 },
    loss: { type: "number", description: "Mean loss of the round's network on the client's examples" },
    metrics: {
      type: "object",
      maxProperties: 20,
      propertyNames: { maxLength: 60 },
      additionalProperties: number,
    },
  },
  required: ["hash", "examples"],
  additionalProperties: false,
} as const;

/** Schema of a round in a path. */
export const ROUND_PARAMS: object = {
  type: "object",
  properties: { round: { type: "integer", minimum: 1, maximum: 1e9 } },
  required: ["round"],
} as const;

/** Schema of the answer to an update that counts. */
export const UPDATE_ANSWER: object = {
  type: "object",
  properties: { accepted: { type: "boolean" }, round: whole, hash: text },
  required: ["accepted", "round", "hash"],
} as const;
