import { at, FormatError, UsageError } from "@isthmus/core";
import { commitTo, decodeBytes, publicKeyOf } from "./key-agreement.ts";
import { type Mask, maskSign } from "./masks.ts";
import type { RevealMessage } from "./messages.ts";
import { joinShares, SHARE_BYTES } from "./secret-shares.ts";
import { pairKey } from "./secure-client.ts";
import { type SecureServerState, sharersOf } from "./secure-server.ts";

/**
 * Finds the masks that are left in the sum of the masked updates: each survivor's own, and the masks that
 * survivors share with clients that dropped out. Adding the returned masks removes them; no other masks can
 * be removed in this way.
 * @throws UsageError if too few shares were revealed so far
 * @throws FormatError if a client gave out shares that do not make its secret; the message names the client
 */
export async function recoverMasks(state: SecureServerState): Promise<Mask[]> {
  const { stage, settings, keys, masked } = state;
  if (stage !== "done") {
    throw new UsageError(
      `Cannot unmask "${settings.session}" as all of its stages must be over: it collects "${stage}"`,
    );
  }
  const masks: Mask[] = [];
  for (const client of masked) masks.push({ key: await recoverSelfMask(state, client), sign: -1 });
  for (const lost of sharersOf(state)) {
    if (masked.includes(lost)) continue;
    const secret = await recoverMaskKey(state, lost);
    for (const { client, maskKey } of keys) {
      if (!masked.includes(client)) continue;
      const key = pairKey(secret, maskKey, [settings.session, lost, client]);
      masks.push({ key, sign: maskSign(client, lost) === 1 ? -1 : 1 });
    }
  }
  return masks;
}

async function recoverSelfMask(state: SecureServerState, client: string): Promise<Uint8Array> {
  const secret = await joinOf(state, client, "selfMasks");
  const { selfMaskCommitment } = at(
    state.shares,
    state.shares.findIndex((message) => message.client === client),
  );
  if (commitTo(secret, state.settings.session, client) !== selfMaskCommitment)
    throw wrongShares(client, "own mask");
  return secret;
}

async function recoverMaskKey(state: SecureServerState, client: string): Promise<Uint8Array> {
  const secret = await joinOf(state, client, "maskKeys");
  const { maskKey } = at(
    state.keys,
    state.keys.findIndex((message) => message.client === client),
  );
  if (publicKeyOf(secret) !== maskKey) throw wrongShares(client, "mask key");
  return secret;
}

/** Joins the first `threshold` shares of a client's secret. */
function joinOf(
  { reveals, settings: { threshold } }: SecureServerState,
  client: string,
  kind: keyof Pick<RevealMessage, "selfMasks" | "maskKeys">,
): Promise<Uint8Array> {
  const shares = reveals
    .slice(0, threshold)
    .flatMap((message) => message[kind].filter(({ of }) => of === client))
    .map(({ share }) => decodeBytes(share, SHARE_BYTES, `a share of "${client}"`));
  return joinShares(shares);
}

function wrongShares(client: string, secret: string): FormatError {
  return new FormatError(
    `Cannot unmask the sum as the shares that "${client}" gave out must make its ${secret}: begin a new session without it`,
    { format: "secure sum" },
  );
}
