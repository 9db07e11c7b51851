/** The two public keys of a client, X25519, each 32 bytes in base64. */
export interface KeyPairMessage {
  /** Tag of messages with public keys. */
  readonly kind: "keys";
  /** Name of the secure sum that the message belongs to. */
  readonly session: string;
  /** Name of the client that sends the keys. */
  readonly client: string;
  /** Key for the encryption of shares. */
  readonly cipherKey: string;
  /** Key for the masks that two clients share. */
  readonly maskKey: string;
  /** Signature of the keys by the client's identity, Ed25519 in base64; missing if it has none. */
  readonly signature?: string;
  /**
   * Whether the client will sign the list of survivors; missing for false. If all clients of the roster will,
   * the sum has the stage `confirm`.
   */
  readonly confirms?: boolean;
}

/** All keys that clients sent in time, from the server to every client. */
export interface RosterMessage {
  /** Tag of messages with all keys. */
  readonly kind: "roster";
  /** Name of the secure sum that the message belongs to. */
  readonly session: string;
  /** Keys in the order of the clients' names. */
  readonly keys: readonly KeyPairMessage[];
}

/** Shares of a client's two secrets for one other client, encrypted so that the server cannot read them. */
export interface EncryptedShares {
  /** Name of the client whose secrets are shared. */
  readonly from: string;
  /** Name of the client that can decrypt the shares. */
  readonly to: string;
  /** Nonce, ciphertext and tag of AES-256-GCM, in base64. */
  readonly sealed: string;
}

/** A client's shares for all clients of the roster, itself among them. */
export interface SharesMessage {
  /** Tag of messages with encrypted shares for others. */
  readonly kind: "shares";
  /** Name of the secure sum that the message belongs to. */
  readonly session: string;
  /** Name of the client that gives out the shares. */
  readonly client: string;
  /** Shares for each client of the roster, in its order. */
  readonly shares: readonly EncryptedShares[];
  /**
   * For each client in the order of the roster, SHA-256 of its two shares, in base64: to tell which client
   * returns a wrong share.
   */
  readonly commitments: readonly ShareCommitments[];
  /** SHA-256 of the secret of the client's own mask, in base64. */
  readonly selfMaskCommitment: string;
}

/** Hashes of the two shares that a client was sent by another. */
export interface ShareCommitments {
  /** Name of the client that holds the two shares. */
  readonly to: string;
  /** SHA-256 of the share of the mask key, in base64. */
  readonly maskKey: string;
  /** SHA-256 of the share of the own mask, in base64. */
  readonly selfMask: string;
}

/** Shares of all clients that sent theirs in time, from the server to one client. */
export interface DeliveryMessage {
  /** Tag of messages with encrypted shares of others. */
  readonly kind: "delivery";
  /** Name of the secure sum that the message belongs to. */
  readonly session: string;
  /** Name of the client that the shares are for. */
  readonly client: string;
  /** Shares for this client, in the order of the senders' names. */
  readonly shares: readonly EncryptedShares[];
}

/** Notice that the server has all words of a client's masked update; the words themselves are a file. */
export interface MaskedMessage {
  /** Tag of notices of masked updates. */
  readonly kind: "masked";
  /** Name of the secure sum that the message belongs to. */
  readonly session: string;
  /** Name of the client whose update it is. */
  readonly client: string;
  /** Number of words of the masked update: its elements and two counts. */
  readonly words: number;
}

/** Names of the clients whose masked updates are in the sum, from the server to each of them. */
export interface SurvivorsMessage {
  /** Tag of messages with names of survivors. */
  readonly kind: "survivors";
  /** Name of the secure sum that the message belongs to. */
  readonly session: string;
  /** Names of the clients whose masked updates are complete, sorted. */
  readonly survivors: readonly string[];
  /**
   * Signatures of this very list, in the order of the clients' names; missing when the list is to be signed,
   * and in sums without signed lists.
   */
  readonly signatures?: readonly SurvivorsSignature[];
}

/** Signature of one client of a list of survivors. */
export interface SurvivorsSignature {
  /** Name of the client that signed the list. */
  readonly client: string;
  /** Signature by the client's identity, Ed25519 in base64. */
  readonly signature: string;
}

/** Signature of the list of survivors that a client was shown, from the client to the server. */
export interface ConfirmMessage extends SurvivorsSignature {
  /** Tag of messages that sign a list of survivors. */
  readonly kind: "confirm";
  /** Name of the secure sum that the message belongs to. */
  readonly session: string;
}

/** One share of one secret of a client, in base64. */
export interface RevealedShare {
  /** Name of the client whose secret is shared. */
  readonly of: string;
  /** Bytes of the share, in base64. */
  readonly share: string;
}

/**
 * Shares that remove masks: of the own masks of survivors, and of the mask keys of clients that dropped out.
 */
export interface RevealMessage {
  /** Tag of messages with revealed shares. */
  readonly kind: "reveal";
  /** Name of the secure sum that the message belongs to. */
  readonly session: string;
  /** Name of the client that reveals the shares. */
  readonly client: string;
  /** Shares of the own masks of the survivors, which remove these masks from the sum. */
  readonly selfMasks: readonly RevealedShare[];
  /** Shares of the mask keys of clients that dropped out, from which the masks they left follow. */
  readonly maskKeys: readonly RevealedShare[];
}

/** Message of a client. All messages are plain data that JSON can carry. */
export type ClientMessage = KeyPairMessage | SharesMessage | MaskedMessage | ConfirmMessage | RevealMessage;
/** Message of the server. */
export type ServerMessage = RosterMessage | DeliveryMessage | SurvivorsMessage;
