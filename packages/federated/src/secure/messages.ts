/** The two public keys of a client, X25519, each 32 bytes in base64. */
export interface KeyPairMessage {
  readonly kind: "keys";
  readonly session: string;
  readonly client: string;
  /** Key for the encryption of shares. */
  readonly cipherKey: string;
  /** Key for the masks that two clients share. */
  readonly maskKey: string;
}

/** All keys that clients sent in time, from the server to every client. */
export interface RosterMessage {
  readonly kind: "roster";
  readonly session: string;
  /** Keys in the order of the clients' names. */
  readonly keys: readonly KeyPairMessage[];
}

/** Shares of a client's two secrets for one other client, encrypted so that the server cannot read them. */
export interface EncryptedShares {
  readonly from: string;
  readonly to: string;
  /** Nonce, ciphertext and tag of AES-256-GCM, in base64. */
  readonly sealed: string;
}

/** A client's shares for all clients of the roster, itself among them. */
export interface SharesMessage {
  readonly kind: "shares";
  readonly session: string;
  readonly client: string;
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
  readonly to: string;
  readonly maskKey: string;
  readonly selfMask: string;
}

/** Shares of all clients that sent theirs in time, from the server to one client. */
export interface DeliveryMessage {
  readonly kind: "delivery";
  readonly session: string;
  readonly client: string;
  readonly shares: readonly EncryptedShares[];
}

/** Notice that the server has all words of a client's masked update; the words themselves are a file. */
export interface MaskedMessage {
  readonly kind: "masked";
  readonly session: string;
  readonly client: string;
  readonly words: number;
}

/** Names of the clients whose masked updates are in the sum, from the server to each of them. */
export interface SurvivorsMessage {
  readonly kind: "survivors";
  readonly session: string;
  readonly survivors: readonly string[];
}

/** One share of one secret of a client, in base64. */
export interface RevealedShare {
  readonly of: string;
  readonly share: string;
}

/**
 * Shares that remove masks: of the own masks of survivors, and of the mask keys of clients that dropped out.
 */
export interface RevealMessage {
  readonly kind: "reveal";
  readonly session: string;
  readonly client: string;
  readonly selfMasks: readonly RevealedShare[];
  readonly maskKeys: readonly RevealedShare[];
}

/** Message of a client. All messages are plain data that JSON can carry. */
export type ClientMessage = KeyPairMessage | SharesMessage | MaskedMessage | RevealMessage;
/** Message of the server. */
export type ServerMessage = RosterMessage | DeliveryMessage | SurvivorsMessage;
